"""Rule files to rules: what selection, dispatch and wording need of them, and which rules a run uses.

An installed wheel holds a small index made from the rule files at build time; a checkout reads the files
themselves, so that an edit is never answered from a stale copy.
"""

# As in records.py, annotations are not postponed.

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from kubelint_ack.data import data_files, is_checkout, read_data
from kubelint_ack.records import SEVERITIES, Severity

Language = Literal["en", "zh"]

AREAS: dict[str, tuple[int, int]] = {
    "manifest": (0, 9),
    "workload": (10, 11),
    "security": (12, 14),
    "container": (15, 16),
    "image": (17, 18),
    "rbac": (19, 20),
    "config": (21, 22),
    "service": (30, 32),
    "loadbalancer": (33, 36),
    "ingress": (37, 42),
    "networkpolicy": (43, 45),
    "dns": (46, 47),
    "storage": (50, 54),
    "scheduling": (55, 59),
    "availability": (60, 62),
    "component": (63, 69),
    "cluster": (70, 72),
}
"""Each area's block of codes: the first two digits, inclusive."""

PRESETS = ("default", "ack", "security", "reliability", "strict")

URL = "https://kubelint-ack.io/rules/"


class Rule(NamedTuple):
    """What the engine needs of a rule; its texts are read for rules that fired."""

    name: str
    code: str
    area: str
    severity: Severity
    reads: Literal["resource", "project", "profile", "profiles", "file", "schema", "engine"]
    kinds: tuple[tuple[str, str], ...]
    """(group, kind) pairs; `("*", "workload")` and `("*", "any")` are the two classes."""
    needs: tuple[str, ...]
    sharpens: tuple[str, ...]
    presets: tuple[str, ...]
    options: dict[str, Any]
    """Name and default of each parameter."""
    security_severity: str
    precision: str
    tags: tuple[str, ...]
    equivalents: dict[str, tuple[str, ...]]

    @property
    def function(self) -> str:
        """The name of its check function in `checks/<area>.py`."""
        return self.name.replace("-", "_")


class Texts(NamedTuple):
    """The words of a rule in one language."""

    title: str
    why: str
    fix: str
    silent: str
    messages: dict[str, str]
    notes: dict[str, str]
    references: tuple[str, ...]


class CatalogError(Exception):
    """A selection names something that does not exist; the text says what and suggests the nearest name."""


def kind_pair(text: str) -> tuple[str, str]:
    """`apps/v1/Deployment` → ("apps", "Deployment"); `any` and `workload` → ("*", …)."""
    if text in ("any", "workload"):
        return ("*", text)
    parts = text.split("/")
    return ("" if len(parts) == 2 else parts[0], parts[-1])


def rule_from_file(name: str, area: str, data: Mapping[str, Any]) -> Rule:
    """A rule from the content of its file."""
    return Rule(
        name=name,
        code=data["code"],
        area=area,
        severity=data["severity"],
        reads=data["reads"],
        kinds=tuple(kind_pair(kind) for kind in data.get("kinds", ["any"])),
        needs=tuple(data.get("needs", ())),
        sharpens=tuple(data.get("sharpens", ())),
        presets=tuple(data["presets"]),
        options={key: value["default"] for key, value in data.get("options", {}).items()},
        security_severity=data.get("security-severity", ""),
        precision=data.get("precision", "high"),
        tags=tuple(data.get("tags", ())),
        equivalents={
            tool: (names,) if isinstance(names, str) else tuple(names)
            for tool, names in data.get("equivalents", {}).items()
        },
    )


def texts_from_file(data: Mapping[str, Any], language: Language) -> Texts:
    """The words of a rule in one language from the content of its file."""
    message = data["message"]
    entries = {"default": message} if set(message) == {"en", "zh"} else message
    return Texts(
        title=data["title"][language],
        why=data["why"][language].strip(),
        fix=data["fix"][language].strip(),
        silent=data.get("silent", {}).get(language, "").strip(),
        messages={entry: words[language].strip() for entry, words in entries.items()},
        notes={entry: words[language].strip() for entry, words in data.get("notes", {}).items()},
        references=tuple(data["references"]),
    )


def load_rule_file(path: str) -> dict[str, Any]:
    """The content of `rules/<area>/<name>.yaml`."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(read_data(path), Loader=loader)
    assert isinstance(content, dict), path
    return content


def rule_path(rule: Rule) -> str:
    """Where its file is, for `read_data`."""
    return f"rules/{rule.area}/{rule.name}.yaml"


@cache
def _checkout_files() -> dict[str, tuple[str, dict[str, Any]]]:
    found = {}
    for path in data_files("rules"):
        area, stem = path.split("/")[-2:]
        if not stem.endswith(".yaml"):
            continue
        found[stem.removesuffix(".yaml")] = (area, load_rule_file(path))
    return found


def build_index() -> dict[str, bytes]:
    """The files that a wheel carries in place of parsing every rule: name to content."""
    files = _checkout_files()
    heads = [list(rule_from_file(name, area, data)) for name, (area, data) in sorted(files.items())]
    index = {"index.json": json.dumps(heads).encode()}
    languages: tuple[Language, ...] = ("en", "zh")
    for language in languages:
        # A line for each rule, so that a run reads the words of those that fired.
        lines = (
            json.dumps([name, *texts_from_file(data, language)], ensure_ascii=False)
            for name, (_, data) in sorted(files.items())
        )
        index[f"texts.{language}.jsonl"] = "".join(f"{line}\n" for line in lines).encode()
    return index


@cache
def rules() -> dict[str, Rule]:
    """All rules by name, sorted by code."""
    if is_checkout():
        found = [rule_from_file(name, area, data) for name, (area, data) in _checkout_files().items()]
    else:
        found = [_thaw(head) for head in json.loads(read_data("index.json"))]
    return {rule.name: rule for rule in sorted(found, key=lambda rule: rule.code)}


def _thaw(head: list[Any]) -> Rule:
    """A rule from its JSON array: lists back to tuples."""
    fields = dict(zip(Rule._fields, head))
    for key in ("needs", "sharpens", "presets", "tags"):
        fields[key] = tuple(fields[key])
    fields["kinds"] = tuple((group, kind) for group, kind in fields["kinds"])
    fields["equivalents"] = {tool: tuple(names) for tool, names in fields["equivalents"].items()}
    return Rule(**fields)


@cache
def _packed_texts(language: Language) -> bytes:
    return b"\n" + read_data(f"texts.{language}.jsonl")


@cache
def _texts(name: str, language: Language) -> Texts:
    if is_checkout():
        return texts_from_file(_checkout_files()[name][1], language)
    packed = _packed_texts(language)
    start = packed.index(b'\n["%s", ' % name.encode()) + 1
    words: list[Any] = json.loads(packed[start : packed.index(b"\n", start)])[1:]
    # References, the last, are a tuple in every installation.
    return Texts(*[*words[:-1], tuple(words[-1])])


def texts(rule: Rule, language: Language) -> Texts:
    """The words of a rule."""
    return _texts(rule.name, language)


def rule_url(rule: Rule, language: Language = "en") -> str:
    """The address of its page."""
    return f"{URL if language == 'en' else URL.replace('/rules/', '/zh/rules/')}{rule.name}/"


def find_rule(word: str) -> tuple[list[Rule], str]:
    """The rules that a word names, and whose name it is.

    A name or code is ours (""); `checkov:CKV_K8S_16`, or the bare word, is another tool's.
    Raises CatalogError with the nearest name if there is none.
    """
    known = rules()
    for rule in known.values():
        if word == rule.name or word.upper() == rule.code:
            return [rule], ""
    tool, _, foreign = word.rpartition(":")
    found = []
    owner = ""
    for rule in known.values():
        for other, names in rule.equivalents.items():
            if (not tool or tool == other) and any(foreign.lower() == name.lower() for name in names):
                found.append(rule)
                owner = other
    if found:
        return found, owner
    raise CatalogError(_unknown(word, [*known, *(rule.code for rule in known.values())]))


def _unknown(word: str, candidates: Iterable[str]) -> str:
    from kubelint_ack.values import nearest

    near = nearest(word, list(candidates))
    return f"'{word}'" + (f" (did you mean '{near}'?)" if near else "")


def expand(words: Sequence[str], what: str) -> set[str]:
    """Names of the rules that selectors (name, code, code prefix, area, ALL) stand for.

    Raises CatalogError naming `what` (the option) and the nearest known word.
    """
    known = rules()
    found: set[str] = set()
    for word in words:
        if word.upper() == "ALL":
            found.update(known)
            continue
        matching = {
            rule.name
            for rule in known.values()
            if word in (rule.name, rule.area) or (word.upper().startswith("KLA") and rule.code.startswith(word.upper()))
        }
        if not matching:
            raise CatalogError(f"{what}: {_unselectable(word)}")
        found |= matching
    return found


def _unselectable(word: str) -> str:
    try:
        chosen, tool = find_rule(word)
    except CatalogError:
        near = _unknown(word, [*rules(), *AREAS, "ALL"])
        return f"unknown rule {near}; 'kubelint-ack rules' lists all rules"
    return f"'{word}' is a name of {tool}; write '{','.join(rule.name for rule in chosen)}'"


class Active(NamedTuple):
    """A rule as one run uses it."""

    rule: Rule
    severity: Severity
    options: dict[str, Any]
    ack_only: bool
    """On only where the manifest or the profile is plainly ACK's (the rule is in preset `ack`, unasked)."""
    configured: bool = False
    """The severity is the configuration's: then it holds for every finding of the rule."""

    def graded(self, milder: Severity | None) -> Severity:
        """The severity of a finding that the check may call milder than its rule."""
        if milder is None or self.configured:
            return self.severity
        return max(self.severity, milder, key=SEVERITIES.index)


def select(
    *,
    presets: Sequence[str] = (),
    select: Sequence[str] = (),
    extend_select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    minimum: Severity = "info",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Active]:
    """The rules of a run, by name.

    Without `select`, the presets decide; `default` is always among them, and rules of preset `ack` are on where
    the manifest or the profile is plainly ACK's. `strict` holds every rule. `ignore` beats all; rules that
    report what the engine met are on unless ignored, and so are those with options in `settings`. Raises CatalogError.
    """
    wanted = {"default", *presets}
    chosen: dict[str, bool] = {}
    for rule in rules().values():
        if select:
            break
        if "strict" in wanted or wanted & set(rule.presets):
            chosen[rule.name] = False
        elif "ack" in rule.presets:
            chosen[rule.name] = True
    for name in expand(select, "--select") | expand(extend_select, "--extend-select"):
        chosen[name] = False
    for rule in rules().values():
        if rule.reads == "engine" and "default" in rule.presets:
            chosen.setdefault(rule.name, False)
    settings = settings or {}
    for name, own in settings.items():
        if not select and own.keys() - {"severity"}:
            chosen.setdefault(name, False)
    for name in expand(ignore, "--ignore"):
        chosen.pop(name, None)
    found = {}
    for rule in rules().values():
        if rule.name not in chosen:
            continue
        own = settings.get(rule.name, {})
        severity: Severity = own.get("severity", rule.severity)
        if SEVERITIES.index(severity) > SEVERITIES.index(minimum):
            continue
        options = {key: own.get(key, default) for key, default in rule.options.items()}
        found[rule.name] = Active(rule, severity, options, chosen[rule.name], "severity" in own)
    return found
