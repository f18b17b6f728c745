"""Checks of annotations of Ingresses against the catalogues of what their controllers read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelint_ack.ack import Catalogue, catalogue
from kubelint_ack.annotations import is_placeholder
from kubelint_ack.facts import IngressFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.ingress import (
    ALB,
    AWS_ANNOTATIONS,
    MSE,
    NGINX,
    READ_BY_ALB,
    Controller,
    is_aws,
    keys_of,
    reading,
)
from kubelint_ack.queries.ingress_annotations import Read, is_newer, prefixes, read, reader, wrong
from kubelint_ack.records import Hit, Severity, at
from kubelint_ack.values import nearest, version

NAMES: dict[Controller, str] = {
    "nginx": "ingress-nginx",
    "alb": "ALB Ingress",
    "mse": "MSE/APIG",
    "higress": "Higress",
}
"""How messages call a controller, in either language."""


def ingress_annotation_unknown(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """An annotation with the prefix of the Ingress's controller that it does not read, or no longer."""
    who = reading(ingress, project, profile)
    if who.controller is None:
        return
    for prefix, family in prefixes(who.controller):
        for key in ingress.annotations:
            if not key.startswith(prefix) or is_placeholder(key):
                continue
            name = family.name_of(key) or ""
            row = family.known.get(name)
            if row is None:
                if prefix == ALB and is_aws(name):
                    continue
                if prefix == NGINX and who.controller != "nginx" and name in catalogue("higress").known:
                    continue
                yield _unknown(key, name, family, who.controller, profile)
            else:
                how = row["readers"].get(reader(who.controller, family))
                if how and "until" in how and not _is_old(family, how["until"], profile):
                    values = {"key": key, "name": NAMES[who.controller], "until": how["until"], "near": ""}
                    yield Hit(at("metadata", "annotations", key).key, message="removed", **values)


def _unknown(key: str, name: str, family: Catalogue, controller: Controller, profile: Profile) -> Hit:
    near = family.unread.get(name)
    if near is None:
        own = reader(controller, family)
        known = {one for one, row in family.known.items() if own in row["readers"]}
        plain = name.lower().replace("_", "-")
        found = plain if plain in known else nearest(plain, known, 0.8)
        near = family.key(found) if found else None
    return Hit(
        at("metadata", "annotations", key).key,
        message="near" if near else "default",
        severity="info" if near is None or is_newer(family, profile) else None,
        key=key,
        name=NAMES[controller],
        near=near or "",
        until="",
    )


def _is_old(family: Catalogue, until: str, profile: Profile) -> bool:
    """Whether the declared version of the controller still reads what a later one does not."""
    last = version(until) or ()
    for component in family.covers:
        running = version((profile.components or {}).get(component))
        if running and running[: len(last)] <= last:
            return True
    return False


# --- Annotations of another controller


def ingress_annotation_ignored(ingress: Any, project: Project, profile: Profile) -> Iterator[Hit]:
    """An annotation that only another controller reads than the one that serves the object."""
    if not isinstance(ingress, IngressFact):
        for key in ingress.annotations:
            if key.startswith(ALB) and not is_aws(key[len(ALB) :]):
                yield _ignored(key, "gateway", kind=ingress.resource.id.kind)
        return
    who = reading(ingress, project, profile)
    for key in ingress.annotations if who.controller in NAMES else ():
        if who.controller == "alb" and key.startswith(NGINX):
            name = key[len(NGINX) :]
            if name not in READ_BY_ALB:
                same = name if name in catalogue("alb").known else ""
                other = catalogue("alb").unread.get(name) or (ALB + same if same else "")
                yield _ignored(key, "instead" if other else "default", name=NAMES["alb"], other=other)
        elif who.controller == "alb" and key.startswith(ALB) and is_aws(key[len(ALB) :]):
            other = AWS_ANNOTATIONS.get(key[len(ALB) :], "")
            yield _ignored(key, "aws-instead" if other else "aws", other=other)
        elif who.controller == "nginx" and key.startswith(ALB):
            yield _ignored(key, "default", None if who.certain else "info", name=NAMES["nginx"])
        elif who.controller in ("mse", "higress") and key.startswith(NGINX):
            yield from _ignored_by_higress(key, who.controller)


def _ignored_by_higress(key: str, controller: Controller) -> Iterator[Hit]:
    own, name = catalogue("higress"), key[len(NGINX) :]
    row = catalogue("nginx").known.get(name)
    if row is None and own.name_of(MSE + name) in own.known:
        prefix = MSE if controller == "mse" else own.prefixes[1]
        yield _ignored(key, "prefix", name=NAMES[controller], other=prefix + name)
    elif row is not None and "mse" not in row["readers"]:
        # What is lost with a snippet nobody can tell; most others are limits and buffers that the gateway needs not.
        severity: Severity | None = None if name.endswith("-snippet") else "info"
        yield _ignored(key, "default", severity, name=NAMES[controller])


def _ignored(key: str, message: str, severity: Severity | None = None, **values: str) -> Hit:
    here = at("metadata", "annotations", key).key
    given: dict[str, Any] = {"key": key, "name": "", "other": "", "kind": "", **values}
    return Hit(here, message=message, severity=severity, **given)


# --- Values


def ingress_annotation_value(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A value that is none of those that the controller knows."""
    who = reading(ingress, project, profile)
    for one in read(ingress, who.controller):
        found = wrong(one)
        if found is None or is_placeholder(found.part.text):
            continue
        fatal = one.how.get("wrong") in ("stops", "refused") and who.controller == "alb"
        yield Hit(
            one.at.slice(found.part.start, found.part.end),
            message=found.message,
            severity="warning" if not fatal or is_newer(one.catalogue, profile) else None,
            key=one.key,
            name=NAMES[who.controller or "nginx"],
            value=found.part.text,
            expected=found.expected,
        )


# --- Annotations that need others


def ingress_annotation_needs(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Annotations without effect, because another one is absent or has another value."""
    who = reading(ingress, project, profile)
    groups: dict[tuple[str, str], list[Read]] = {}
    for one in read(ingress, who.controller):
        # Those of canaries have a rule of their own.
        if one.name.startswith("canary") or not one.value:
            continue
        for need in one.how.get("needs", ()):
            if "when" in need and one.value not in need["when"]:
                continue
            if not _is_met(ingress, who.controller, need):
                groups.setdefault((need["key"], ", ".join(need.get("values", ()))), []).append(one)
                break
    for (name, values), ones in groups.items():
        minor = all(need.get("minor") for one in ones for need in one.how["needs"] if need["key"] == name)
        needed = keys_of(who.controller, name)[-1]
        yield Hit(
            ones[0].at.key,
            message="several" if len(ones) > 1 else "default",
            severity="info" if minor else None,
            keys=[one.key for one in ones],
            needed=f"{needed}: {values}" if values else needed,
            name=NAMES[who.controller or "nginx"],
        )


def _is_met(ingress: IngressFact, controller: Controller | None, need: dict[str, Any]) -> bool:
    for key in keys_of(controller, need["key"]):
        if key in ingress.annotations:
            value = ingress.annotations[key]
            return value is None or "values" not in need or value.strip() in need["values"]
    return None in need.get("values", ())
