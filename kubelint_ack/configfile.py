"""The configuration file to settings: everything that is wrong with it is said at once, each with its place."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, Literal

from kubelint_ack.catalog import AREAS, CatalogError, Rule, expand, find_rule, load_rule_file, rule_path, rules
from kubelint_ack.config import (
    DEFAULT,
    LARGEST,
    TABLE,
    TOOLS,
    Cluster,
    Config,
    ConfigError,
    Environment,
    Override,
)
from kubelint_ack.files import Source, Unreadable, printable, read
from kubelint_ack.language import Language
from kubelint_ack.origins import Origin, Unusable, toml_mapping, yaml_mapping
from kubelint_ack.profile import duplicates
from kubelint_ack.records import FieldPath, Route, Severity, Span, field_text
from kubelint_ack.validation import Mistake, Schema, explain, load_schema, mistakes, shown, similar
from kubelint_ack.values import address, cidr, cidr_problem
from kubelint_ack.words import say

MOST_ENVIRONMENTS = 500
MOST_MISTAKES = 20
"""Mistakes shown of one run."""


def load(path: str, root: str, *, explicit: bool, language: Language = "en") -> Config:
    """The settings of a configuration file.

    `explicit`: the user named the file (`--config`). Its paths are then relative to the current directory, else to
    the file. Raises ConfigError with everything that is wrong, and nothing else.
    """
    return _Loader(root, explicit, language).load(path)


_RENAMED = {
    "ccmVersion": "components.cloud-controller-manager",
    "albIngressControllerVersion": "components.alb-ingress-controller",
    "kind": "clusterType",
    "nodes": "nodePools",
    "windowsNodes": "nodePools[].os",
    "extraDrivers": "extraCSIDrivers",
}
"""Keys that a profile had before, and their names now."""
_PROGRAMS = frozenset({"plugins", "plug-ins", "helm", "kubectl", "kustomize", "binary"})
"""Keys that would make us run something."""
_GLOBS = frozenset({"exclude", "extend-exclude", "context", "schemas", "paths", "files"})
"""Lists in which braces are part of a file's name: `{{cookiecutter.name}}/`."""
_SELECTORS = ("select", "extend-select", "ignore")
_CIDRS = ("podCIDR", "serviceCIDR", "serviceIPv6CIDR")
_CIDR_LISTS = ("vpcCIDRs", "peerCIDRs")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_GLOB_SIGNS = re.compile(r"[*?\[]")


class _Stop(Exception):  # noqa: N818
    """Nothing more can be read; the reason is among the problems."""


class _Loader:
    """Reads one configuration and collects all that is wrong with it."""

    def __init__(self, root: str, explicit: bool, language: Language) -> None:
        self.root = os.path.realpath(root)
        self.explicit = explicit
        self.language = language
        self.base = self.root
        """The folder, resolved, that the paths in the configuration are relative to."""
        self.left = LARGEST
        self.digest = hashlib.sha256()
        self.profiles: dict[str, Cluster | None] = {}
        """By resolved file; None: it cannot be used."""
        self.problems: dict[tuple[str, int, int, str], None] = {}

    def load(self, path: str) -> Config:
        """The settings. Raises ConfigError."""
        config = DEFAULT
        with suppress(_Stop):
            config = self._config(path)
        if not self.problems:
            return config
        messages = []
        for where, line, column, text in sorted(self.problems)[:MOST_MISTAKES]:
            place = f":{line}:{column}" if line else ""
            messages.append(f"{printable(where)}{place}: {text}")
        more = len(self.problems) - MOST_MISTAKES
        raise ConfigError([*messages, self._say("more", count=more)] if more > 0 else messages)

    def _say(self, key: str, **values: object) -> str:
        return say(self.language, f"config.{key}", **values)

    def _problem(self, path: str, span: Span | None, text: str) -> None:
        self.problems[(path, span.line if span else 0, span.column if span else 0, text)] = None
        if len(self.problems) > 5 * MOST_MISTAKES:
            raise _Stop

    def _wrong(self, origin: Origin, route: Route, text: str, part: Literal["key", "value"] = "value") -> None:
        """Enter a mistake at a route of the origin's mapping."""
        self._problem(origin.path, origin.place(FieldPath(route, part)).span, text)

    # --- files

    def _config(self, path: str) -> Config:
        file = os.path.abspath(path)
        self.base = os.path.realpath(os.getcwd() if self.explicit else os.path.dirname(file))
        content, origin = self._mapping(file, is_toml=path.endswith(".toml"))
        usable = self._without_mistakes(content, "config", origin)
        return self._settings(usable, origin)

    def _mapping(self, file: str, *, is_toml: bool = False) -> tuple[dict[str, Any], Origin]:
        """What a file holds, and where. Raises _Stop."""
        path = self._report_path(file)
        resolved = os.path.realpath(file)
        if not self.explicit and not _inside(resolved, self.root):
            self._problem(path, None, self._say("outside"))
            raise _Stop
        try:
            data = read(Source(path, resolved, True), self.left)
        except Unreadable as error:
            self._problem(path, None, self._say(f"file.{error.reason}", detail=error.detail, limit=LARGEST))
            raise _Stop from None
        self.left -= len(data)
        self.digest.update(len(data).to_bytes(8, "big") + data)
        try:
            return toml_mapping(data, path, TABLE) if is_toml else yaml_mapping(data, path, _GLOBS)
        except Unusable as error:
            for problem in error.problems:
                values = {key: shown(value) for key, value in problem.values.items()}
                self._problem(path, problem.span, self._say(f"file.{problem.kind}", **values))
            raise _Stop from None

    def _report_path(self, file: str) -> str:
        """The path relative to the root, else to the current directory, else absolute."""
        for folder in (self.root, os.getcwd()):
            for one in (file, os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file))):
                if _inside(one, folder):
                    return os.path.relpath(one, folder).replace(os.sep, "/")
        return file

    # --- the schema

    def _without_mistakes(self, data: dict[str, Any], name: str, origin: Origin) -> dict[str, Any]:
        """The data of a file without the top-level keys in which something is wrong; that is entered."""
        wrong = set()
        for mistake in islice(mistakes(data, load_schema(f"{name}.schema.json")), 5 * MOST_MISTAKES):
            wrong.add(mistake.route[:1])
            is_key = mistake.kind in ("unknown-key", "wrong-key", "missing-key")
            self._wrong(origin, mistake.route, self._explain(mistake, name, origin), "key" if is_key else "value")
        return {} if () in wrong else {key: value for key, value in data.items() if (key,) not in wrong}

    def _explain(self, mistake: Mistake, name: str, origin: Origin) -> str:
        route = mistake.route
        if mistake.kind == "unknown-key":
            special = self._explain_key(route, name)
            if special:
                return special
        if name == "config" and mistake.kind in ("pattern", "wrong-key") and _is_selector(route):
            return self._unknown_rule(str(route[-1] if mistake.kind == "wrong-key" else mistake.values["value"]), route)
        if mistake.kind == "wrong-type":
            written = origin.written((*origin.prefix, *route))
            if written:
                mistake = mistake._replace(values={**mistake.values, "written": written})
        return explain(mistake, self.language)

    def _explain_key(self, route: Route, name: str) -> str:
        """What to say of an unknown key that has a story of its own; empty for the others."""
        inner = _in_profile(route) if name == "config" else route
        key = str(route[-1])
        if inner is None:
            if len(route) > 1:
                return ""
            if key in load_schema("profile.schema.json")["properties"]:
                return self._say("misplaced", word=shown(key))
            return self._say("program", word=shown(key)) if key in _PROGRAMS else ""
        if len(inner) == 1:
            if key in _RENAMED:
                return self._say("renamed", word=shown(key), name=_RENAMED[key])
            if key == "cluster":
                return self._say("unwrap")
            if key in load_schema("config.schema.json")["properties"]:
                return self._say("misplaced-in-profile", word=shown(key))
        is_vswitch = len(inner) == 3 and inner[0] in ("vSwitches", "podVSwitches")
        return self._say("dropped", word=shown(key)) if is_vswitch and key == "role" else ""

    # --- what the schema cannot say

    def _settings(self, data: Mapping[str, Any], origin: Origin) -> Config:
        """The settings of a valid mapping; more mistakes are entered."""
        cluster = self._cluster(data.get("cluster"), origin, ("cluster",)) or Cluster()
        complete = _complete(data.get("complete", False))
        for key in _SELECTORS:
            self._selectors(data.get(key, ()), origin, (key,))
        presets = data.get("preset", [])
        versions = data.get("kubernetes-version", [])
        suppressions = data.get("suppressions", {})
        jobs = data.get("jobs", 0)
        return Config(
            path=origin.path,
            cluster=cluster,
            environments=self._environments(data.get("environments", {}), origin, cluster, complete),
            complete=complete,
            presets=(presets,) if isinstance(presets, str) else tuple(presets),
            select=tuple(data.get("select", ())),
            extend_select=tuple(data.get("extend-select", ())),
            ignore=tuple(data.get("ignore", ())),
            severity=data.get("severity"),
            exclude=self._patterns(data.get("exclude", ())),
            extend_exclude=self._patterns(data.get("extend-exclude", ())),
            context=self._patterns(data["context"]) if "context" in data else None,
            overrides=self._overrides(data.get("overrides", ()), origin),
            rules=self._rules(data.get("rules", {}), origin),
            honor=tuple(suppressions.get("honor", TOOLS)),
            require_reason=suppressions.get("require-reason", False),
            fail_on=data.get("fail-on"),
            format=data.get("format"),
            output=self._output(data.get("output", {}), origin),
            lang=data.get("lang"),
            kubernetes_versions=(versions,) if isinstance(versions, str) else tuple(versions),
            workloads=_workloads(data.get("workloads", ())),
            schemas=self._patterns(data.get("schemas", ())),
            max_file_size=_bytes(data.get("max-file-size", DEFAULT.max_file_size)),
            jobs=0 if jobs == "auto" else int(jobs),
            cache=data.get("cache", True),
            digest=self.digest.hexdigest(),
        )

    def _cluster(self, value: Any, origin: Origin, route: Route) -> Cluster | None:
        """The profile under a key, written there or in the file that it names; None if there is none."""
        if value is None:
            return None
        if isinstance(value, dict):
            own = origin.below(*route)
            self._profile_facts(value, own)
            return Cluster(value, dict.fromkeys(value, own), own)
        file = os.path.join(self.base, value)
        resolved = os.path.realpath(file)
        if not self.explicit and not _inside(resolved, self.root):
            self._wrong(origin, route, self._say("path.profile", path=shown(value)))
            return None
        if not os.path.lexists(file):
            self._wrong(origin, route, self._say("path.missing", path=shown(value)))
            return None
        if resolved not in self.profiles:
            self.profiles[resolved] = self._profile_file(file)
        return self.profiles[resolved]

    def _profile_file(self, file: str) -> Cluster | None:
        try:
            content, origin = self._mapping(file)
        except _Stop:
            return None
        content = self._without_mistakes(content, "profile", origin)
        self._profile_facts(content, origin)
        return Cluster(content, dict.fromkeys(content, origin), origin)

    def _profile_facts(self, data: Mapping[str, Any], origin: Origin) -> None:
        """Enter what is wrong with a profile that fits the schema."""
        for route in duplicates(data):
            name = shown(data[route[0]][route[1]]["name"])  # type: ignore[index]
            self._wrong(origin, route, self._say("profile.duplicate", field=field_text(route), name=name))
        for route, text in _networks(data):
            problem = cidr_problem(text)
            if problem:
                values = {"field": field_text(route), "text": shown(text), "network": cidr(text)}
                self._wrong(origin, route, self._say(f"profile.cidr.{problem}", **values))
        if "dnsServiceIP" in data and address(data["dnsServiceIP"]) is None:
            text = shown(data["dnsServiceIP"])
            self._wrong(origin, ("dnsServiceIP",), self._say("profile.address", field="dnsServiceIP", text=text))
        low, _, high = data.get("nodePortRange", "1-1").partition("-")
        if not 1 <= int(low) <= int(high) <= 65535:
            text = shown(data["nodePortRange"])
            self._wrong(origin, ("nodePortRange",), self._say("profile.ports", field="nodePortRange", text=text))

    def _environments(
        self, data: Mapping[str, Any], origin: Origin, base: Cluster, complete: bool | tuple[str, ...]
    ) -> tuple[Environment, ...]:
        if len(data) > MOST_ENVIRONMENTS:
            self._wrong(origin, ("environments",), self._say("environments", limit=MOST_ENVIRONMENTS), "key")
            return ()
        found = []
        for name, one in data.items():
            route = ("environments", name)
            own = self._cluster(one.get("cluster"), origin, (*route, "cluster"))
            cluster = _merged(base, own) if own else base
            if own and own is not base:
                self._contradictions(cluster)
            paths = [self._path(text, origin, (*route, "paths", index)) for index, text in enumerate(one["paths"])]
            here = _complete(one["complete"]) if "complete" in one else complete
            found.append(Environment(name, tuple(path for path in paths if path), cluster, here))
        return tuple(found)

    def _contradictions(self, cluster: Cluster) -> None:
        """Enter what an environment's keys contradict in the base profile."""
        related = {key: cluster.data[key] for key in ("cni", "terway") if key in cluster.data}
        for mistake in mistakes(related, load_schema("profile.schema.json")):
            path, place = cluster.locate(FieldPath(mistake.route, "value"))
            self._problem(path, place.span, explain(mistake, self.language))

    def _overrides(self, data: Sequence[Mapping[str, Any]], origin: Origin) -> tuple[Override, ...]:
        found = []
        for index, one in enumerate(data):
            route = ("overrides", index)
            severity: dict[str, Severity] = {}
            for word, level in one.get("severity", {}).items():
                severity.update(dict.fromkeys(self._selectors([word], origin, (*route, "severity"), "key"), level))
            for key in ("select", "ignore"):
                self._selectors(one.get(key, ()), origin, (*route, key))
            found.append(
                Override(
                    files=self._patterns(one.get("files", ())),
                    namespaces=tuple(one.get("namespaces", ())),
                    select=tuple(one.get("select", ())),
                    ignore=tuple(one.get("ignore", ())),
                    severity=severity,
                )
            )
        return tuple(found)

    # --- rules

    def _selectors(
        self, words: Sequence[str], origin: Origin, route: Route, part: Literal["key", "value"] = "value"
    ) -> list[str]:
        """The rules that selectors stand for; unknown words are entered."""
        found: list[str] = []
        for index, word in enumerate(words):
            try:
                found += sorted(expand([word], field_text(route)))
            except CatalogError:
                where = (*route, word if part == "key" else index)
                self._wrong(origin, where, self._unknown_rule(word, where), part)
        return found

    def _unknown_rule(self, word: str, route: Route) -> str:
        """What to say of a word that names no rule."""
        field = shown(field_text(route[:1] if route[0] == "rules" else route[:-1]), 200)
        try:
            found, owner = find_rule(word)
        except CatalogError:
            known = rules()
            words = [*known] if route[0] == "rules" else [*known, *AREAS, "ALL", *(one.code for one in known.values())]
            near = similar(word, words)
            key = "rule.near" if near else "rule"
            return self._say(key, field=field, word=shown(word), near=near)
        names = ", ".join(one.name for one in found)
        return self._say(
            "rule.name" if not owner else "rule.foreign", field=field, word=shown(word), near=names, tool=owner
        )

    def _rules(self, data: Mapping[str, Mapping[str, Any]], origin: Origin) -> Mapping[str, Mapping[str, Any]]:
        known = rules()
        for name, options in data.items():
            rule = known.get(name)
            if rule is None:
                self._wrong(origin, ("rules", name), self._unknown_rule(name, ("rules", name)), "key")
                continue
            if set(options) - {"severity"}:
                self._options(rule, options, origin)
        return data

    def _options(self, rule: Rule, options: Mapping[str, Any], origin: Origin) -> None:
        """Enter what is wrong with the options of a rule."""
        described = load_rule_file(rule_path(rule)).get("options", {})
        properties = {name: _option_schema(one) for name, one in described.items()}
        schema = {"properties": {"severity": True, **properties}, "additionalProperties": False}
        route = ("rules", rule.name)
        for mistake in islice(mistakes(options, schema), MOST_MISTAKES):
            mistake = mistake._replace(route=(*route, *mistake.route), values={**mistake.values, "schema": "config"})
            part: Literal["key", "value"] = "key" if mistake.kind in ("unknown-key", "wrong-key") else "value"
            self._wrong(origin, mistake.route, self._explain(mistake, "", origin), part)

    # --- paths

    def _path(self, text: str, origin: Origin, route: Route) -> str:
        """A path of an environment relative to the root; empty if it cannot be used, which is entered."""
        file = os.path.normpath(os.path.join(self.base, text))
        if not _inside(file, self.root):
            self._wrong(origin, route, self._say("path.outside", path=shown(text)))
            return ""
        if not os.path.lexists(file) and not _GLOB_SIGNS.search(text):
            self._wrong(origin, route, self._say("path.missing", path=shown(text)))
            return ""
        return os.path.relpath(file, self.root).replace(os.sep, "/")

    def _patterns(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """gitignore patterns relative to the root; those about folders outside it are left out."""
        found = (_rebased(pattern.removeprefix("./"), self.base, self.root) for pattern in patterns)
        return tuple(pattern for pattern in found if pattern is not None)

    def _output(self, data: Mapping[str, str], origin: Origin) -> tuple[str, ...]:
        """`FORMAT=PATH` of each report to write. A configuration that was found may write into its repository only."""
        found = []
        for format, path in data.items():
            file = os.path.join(self.base, path)
            resolved = os.path.realpath(file)
            git = os.path.join(self.root, ".git")
            if not self.explicit and (not _inside(resolved, self.root) or _inside(resolved, git)):
                self._wrong(origin, ("output", format), self._say("path.output", path=shown(path)))
            found.append(f"{format}={os.path.normpath(file)}")
        return tuple(found)


def _inside(path: str, folder: str) -> bool:
    """Whether an absolute path is the folder or in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _in_profile(route: Route) -> Route | None:
    """The part of a configuration's route that is inside a profile."""
    if len(route) > 1 and route[0] == "cluster":
        return route[1:]
    return route[3:] if len(route) > 3 and route[0] == "environments" and route[2] == "cluster" else None


def _is_selector(route: Route) -> bool:
    """Whether a configuration's route leads to a word that names rules."""
    if len(route) == 2:
        return route[0] in (*_SELECTORS, "rules")
    return len(route) == 4 and route[0] == "overrides" and route[2] in ("select", "ignore", "severity")


def _complete(value: bool | list[str]) -> bool | tuple[str, ...]:
    return value if isinstance(value, bool) else tuple(value)


def _workloads(data: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], tuple[Route, ...]]:
    """The routes of pod templates by (group, kind); a kind may be listed once for each."""
    found: dict[tuple[str, str], tuple[Route, ...]] = {}
    for one in data:
        kind = _group_kind(one["kind"])
        found[kind] = (*found.get(kind, ()), tuple(one["path"].split(".")))
    return found


def _group_kind(text: str) -> tuple[str, str]:
    group, _, kind = text.rpartition("/")
    return group, kind


def _bytes(value: int | float | str) -> int:
    """`10Mi` → 10485760."""
    if not isinstance(value, str):
        return int(value)
    digits = value.rstrip("kMGi" + "K")
    return int(digits[:18]) * _UNITS[value[len(digits) :]]


def _networks(data: Mapping[str, Any]) -> Iterator[tuple[Route, str]]:
    """Every CIDR of a profile."""
    for key in _CIDRS:
        if key in data:
            yield (key,), data[key]
    for key in _CIDR_LISTS:
        for index, text in enumerate(data.get(key, ())):
            yield (key, index), text
    for key in ("vSwitches", "podVSwitches"):
        for index, one in enumerate(data.get(key, ())):
            if "cidr" in one:
                yield (key, index, "cidr"), one["cidr"]


def _merged(base: Cluster, own: Cluster) -> Cluster:
    """The base profile with the keys that an environment has replaced; Terway's settings go with Terway."""
    data = {**base.data, **own.data}
    if own.data.get("cni", "terway") != "terway" and "terway" not in own.data:
        data.pop("terway", None)
    return Cluster(data, {**base.origins, **own.origins}, own.default)


def _option_schema(option: Mapping[str, Any]) -> Schema:
    """What a rule's option may be: as its rule file says, else what its default is."""
    if "schema" in option:
        schema: Schema = option["schema"]
        return schema
    default = option["default"]
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return {"type": names[type(default)]} if type(default) in names else {}


def _rebased(pattern: str, base: str, root: str) -> str | None:
    """A gitignore pattern that is relative to `base`, relative to `root`; None if it is about other folders."""
    if base == root:
        return pattern
    sign = "!" if pattern.startswith("!") else ""
    body = pattern.removeprefix("!")
    is_anchored = "/" in body.rstrip("/")
    if _inside(base, root):
        folder = re.sub(r"([\\*?\[\]])", r"\\\1", os.path.relpath(base, root).replace(os.sep, "/"))
        return f"{sign}/{folder}/{body.lstrip('/')}" if is_anchored else f"{sign}/{folder}/**/{body}"
    if not is_anchored:
        return pattern
    if not _inside(root, base):
        return None
    parts = body.lstrip("/").split("/")
    for step in os.path.relpath(root, base).split(os.sep):
        if parts[0] == "**":
            break
        if len(parts) < 2 or not parts[1] or not fnmatchcase(step, parts[0]):
            return None
        parts = parts[1:]
    return f"{sign}/{'/'.join(parts)}"
