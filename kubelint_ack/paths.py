"""Paths of routes as controllers read them: regular expressions and their groups, rewrite targets, listener lists.

Pure functions: what is not of the asked form gives None, never an exception.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from kubelint_ack.annotations import Part

_ESCAPES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP = re.compile(r"\((?!\?)|\(\?P?<(?![=!])")


def capture_groups(pattern: str) -> int:
    """How many groups a regular expression captures: named ones too, `(?:…)` and look-arounds not."""
    plain = _ESCAPES.sub(lambda found: " " * len(found[0]), pattern)
    return len(_GROUP.findall(plain))


def has_groups(path: str) -> bool:
    """Whether a path is surely meant as a regular expression: it has a group, a set, an alternative or `.*`."""
    plain = re.sub(r"\\.", "  ", path)
    return bool(re.search(r"\([^()]*\)|\[[^\]]+\]|\.[*+]|[^/]\|", plain))


def _part(found: re.Match[str]) -> Part:
    return Part(found[0], found.start(), found.end())


_REGEX_CHARACTERS = re.compile(r"[][(){}*+?|^$\\]")


def regex_character(path: str) -> Part | None:
    """The first character of a path that only a regular expression has."""
    found = _REGEX_CHARACTERS.search(path)
    return _part(found) if found else None


def regex_error(pattern: str) -> Part | None:
    """What no regular expression can have: an unclosed or unopened bracket; None where it may be right.

    Only what every dialect refuses counts: the controllers use PCRE and RE2.
    """
    plain = _ESCAPES.sub(lambda found: " " * len(found[0]), pattern)
    opened: list[int] = []
    for index, character in enumerate(plain):
        if character == "(":
            opened.append(index)
        elif character == ")":
            if not opened:
                return Part(character, index, index + 1)
            opened.pop()
        elif character == "[":
            return Part(character, index, index + 1)
    if opened:
        return Part("(", opened[-1], opened[-1] + 1)
    return None


_REFERENCE = re.compile(r"\$(?:(\d)|\{(\d+)\})")


def references(target: str) -> list[tuple[int, bool, Part]]:
    """The groups that a rewrite target refers to: number, whether it is written `${n}`, and where."""
    return [(int(found[1] or found[2]), found[2] is not None, _part(found)) for found in _REFERENCE.finditer(target)]


class ListenPort(NamedTuple):
    """A listener that an Ingress asks for."""

    port: int
    protocol: str


LISTEN_PROTOCOLS = ("HTTP", "HTTPS", "QUIC")


def listen_ports(value: str) -> list[ListenPort] | str:
    """The listeners of `[{"HTTP":80},{"HTTPS":443}]`, or what is wrong: `json`, `shape`, `empty`, `protocol`, `port`.

    Several keys in one object are accepted, numbers in quotes are not (the controller decodes into
    `[]map[string]int32`: alibaba/alibaba-load-balancer-controller, builder/albconfig_manager/model_builder.go).
    """
    entries = parse_json(value)
    if entries is BROKEN:
        return "json"
    if entries is None or entries == []:
        return "empty"
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return "shape"
    found: list[ListenPort] = []
    for entry in entries:
        for protocol, port in entry.items():
            if protocol not in LISTEN_PROTOCOLS:
                return "protocol"
            if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
                return "port"
            if ListenPort(port, protocol) not in found:
                found.append(ListenPort(port, protocol))
    return found


BROKEN: Any = object()
"""What `parse_json` gives for a text that is no JSON."""


def parse_json(text: str) -> Any:
    """The value of a JSON text; BROKEN if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return BROKEN


def is_prefix(shorter: str, longer: str) -> bool:
    """Whether every request for `longer` also fits `shorter` as a prefix, element by element."""
    short, long = shorter.rstrip("/"), longer.rstrip("/")
    return long == short or long.startswith(f"{short}/")
