"""What the controller of an Ingress makes of its annotations: a reading of the catalogues under `schemas/ack/`."""

# As in records.py, annotations are not postponed.

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubelint_ack.ack import Catalogue, catalogue
from kubelint_ack.annotations import Part, atoi, items
from kubelint_ack.facts import IngressFact
from kubelint_ack.profile import Profile
from kubelint_ack.queries.ingress import ALB, HIGRESS, MSE, NGINX, Controller
from kubelint_ack.records import FieldPath, at
from kubelint_ack.values import version

# By controller: its catalogues, each with the prefix under which it reads them, the one that wins first.
_READ: dict[Controller, tuple[tuple[str, str], ...]] = {
    "nginx": ((NGINX, "nginx"),),
    "alb": ((ALB, "alb"),),
    "mse": ((NGINX, "nginx"), (MSE, "higress")),
    "higress": ((NGINX, "nginx"), (HIGRESS, "higress")),
}


class Read(NamedTuple):
    """An annotation that the controller reads."""

    key: str
    name: str
    """The row's name in its catalogue."""
    value: str | None
    """None: unknown before rendering."""
    row: Mapping[str, Any]
    how: Mapping[str, Any]
    """How this controller reads it."""
    catalogue: Catalogue

    @property
    def at(self) -> FieldPath:
        """Where it stands."""
        return at("metadata", "annotations", self.key)


def prefixes(controller: Controller | None) -> tuple[tuple[str, Catalogue], ...]:
    """The prefixes of annotations that a controller reads, with their catalogues; empty if it is not known."""
    return tuple((prefix, catalogue(name)) for prefix, name in _READ.get(controller or "other", ()))


def reader(controller: Controller, family: Catalogue) -> str:
    """The name by which a catalogue knows a controller."""
    return controller if controller in family.readers else "mse"


def read(ingress: IngressFact, controller: Controller | None) -> Iterator[Read]:
    """The annotations of an Ingress that its controller reads."""
    if controller is None:
        return
    for prefix, family in prefixes(controller):
        for key, value in ingress.annotations.items():
            if not key.startswith(prefix):
                continue
            name = family.name_of(key)
            row = family.known.get(name or "")
            how = row["readers"].get(reader(controller, family)) if row else None
            if row and name and how is not None:
                yield Read(key, name, value, row, how, family)


def is_newer(family: Catalogue, profile: Profile) -> bool:
    """Whether the declared version of the controller is newer than the catalogue."""
    for component, covered in family.covers.items():
        running = version((profile.components or {}).get(component))
        if running and running[: len(covered)] > covered:
            return True
    return False


class Wrong(NamedTuple):
    """What is wrong with a value: the wording, the piece that it is about, and what may stand there."""

    message: str
    part: Part
    expected: str


_BOOLEANS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})
"""What Go's strconv.ParseBool accepts."""


def wrong(one: Read) -> Wrong | None:
    """What is wrong with the value of an annotation; None: nothing, or it cannot be known."""
    if one.value is None or not one.value.strip():
        return None
    form, how = one.row["type"], one.how
    whole = Part(one.value, 0, len(one.value)).bare
    text = whole.text
    if form == "boolean" and text not in _BOOLEANS:
        return Wrong("boolean", whole, "true, false")
    if form == "true" and text not in ("true", "false"):
        return Wrong("not-true" if text in _BOOLEANS else "boolean", whole, "true, false")
    if form == "flag" and text not in ("on", "off"):
        return Wrong("enum", whole, "on, off")
    if form in ("enum", "enums") and "values" in how:
        return _word(items(one.value) if form == "enums" else [whole], how)
    if form == "integer":
        return _number(whole, how)
    if "pattern" in how and not re.fullmatch(how["pattern"], text):
        return Wrong("size" if form == "size" else "form", whole, one.row.get("example", how["pattern"]))
    return None


def _word(parts: list[Part], how: Mapping[str, Any]) -> Wrong | None:
    words: list[str] = how["values"]
    small = [word.lower() for word in words]
    for part in parts:
        one = part.bare
        if one.text not in words and not (how.get("any_case") and one.text.lower() in small):
            return Wrong("case" if one.text.lower() in small else "enum", one, ", ".join(words))
    return None


_UNIT = r"[0-9]+ ?(ms|s|sec|seconds|m|min|h)"


def _number(part: Part, how: Mapping[str, Any]) -> Wrong | None:
    number = atoi(part.text)
    if number is None:
        return Wrong("unit" if re.fullmatch(_UNIT, part.text) else "integer", part, "60")
    low, high = how.get("range", (number, number))
    return None if low <= number <= high else Wrong("range", part, f"{low}-{high}")
