"""The API schemas of all Kubernetes versions (`schemas/kubernetes/`): which kinds each serves, and their definitions.

A minor version is a number here (34 for 1.34). Texts are parsed when a definition is asked for, so a run pays for
the kinds that it meets.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from kubelint_ack.data import read_data


class Served(NamedTuple):
    """Minor versions, first and last, in which something reads the same."""

    first: int
    last: int
    text: str


@cache
def _lines(file: str) -> list[str]:
    """The lines of a file of the store, in the order of their keys."""
    return read_data(f"schemas/kubernetes/{file}").decode().splitlines()


def _history(file: str, key: str) -> list[Served]:
    """The entries of a key."""
    lines = _lines(file)
    prefix = f"{key}\t"
    found = []
    for number in range(bisect_left(lines, prefix), len(lines)):
        if not lines[number].startswith(prefix):
            break
        _, minors, text = lines[number].split("\t")
        first, _, last = minors.partition("-")
        found.append(Served(int(first), int(last), text))
    return found


@cache
def minors() -> tuple[int, int]:
    """The oldest and the newest minor version."""
    pods = kind_history("v1", "Pod")
    return pods[0].first, pods[-1].last


@cache
def kind_history(api_version: str, kind: str) -> list[Served]:
    """In which minor versions the API has a kind, with the name of its definition; empty: in none."""
    return _history("kinds.txt", f"{api_version}/{kind}")


@cache
def groups() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The groups of the API; of each its kinds, and of these the versions (`v1beta1`) that some minor version has."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for line in _lines("kinds.txt"):
        api_version, _, kind = line.partition("\t")[0].rpartition("/")
        group, _, version = api_version.rpartition("/")
        kinds = found.setdefault(group, {})
        kinds[kind] = tuple(dict.fromkeys((*kinds.get(kind, ()), version)))
    return found


@cache
def definition(name: str, minor: int) -> Mapping[str, Any] | None:
    """The schema of a definition in a minor version; None if that version has none."""
    for one in _history("definitions.txt", name):
        if one.first <= minor <= one.last:
            schema: Mapping[str, Any] = json.loads(one.text)
            return schema
    return None


def minors_with_field(name: str, field: str) -> list[int]:
    """The minor versions in which a definition has a field."""
    return [
        minor
        for one in _history("definitions.txt", name)
        if field in json.loads(one.text).get("properties", ())
        for minor in range(one.first, one.last + 1)
    ]
