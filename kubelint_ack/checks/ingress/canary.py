"""Checks of canaries: Ingresses that take a part of the requests of another one."""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.checks.ingress.annotations import NAMES
from kubelint_ack.facts import IngressFact, IngressPath
from kubelint_ack.paths import BROKEN, parse_json
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.ingress import ALB, Controller, annotation, is_canary, keys_of, reading, value, with_host
from kubelint_ack.records import FieldPath, Hit, Related, Severity, at

_RULES = ("canary-by-header", "canary-by-cookie", "canary-weight", "canary-by-query", "canary-by-header-pattern")


def ingress_canary_incomplete(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Annotations of a canary that say too little, or contradict each other."""
    if not any("/canary" in key for key in ingress.annotations):
        return
    who = reading(ingress, project, profile).controller
    if who not in NAMES:
        return

    def find(name: str) -> str | None:
        found = annotation(ingress, *keys_of(who, name))
        return found[0] if found else None

    def hit(key: str, message: str, severity: Severity | None = None, other: str = "", total: int = 100) -> Hit:
        here = at("metadata", "annotations", key)
        text = ingress.annotations[key] or ""
        return Hit(
            here.value if message == "weight" else here.key,
            message=message,
            severity=severity,
            key=key,
            other=other,
            value=text,
            total=total,
            name=NAMES[who or "nginx"],
        )

    rules = [key for key in map(find, _RULES) if key]
    canary = find("canary")
    if canary is None:
        if rules:
            yield hit(rules[0], "not-enabled", other=keys_of(who, "canary")[-1])
        return
    if not is_canary(ingress, who) or ingress.annotations[canary] is None:
        return
    if not rules:
        yield hit(canary, "no-rule")
    header = find("canary-by-header")
    for name in ("canary-by-header-value", "canary-by-header-pattern"):
        own = find(name)
        if own and header is None:
            yield hit(own, "no-header", other=keys_of(who, "canary-by-header")[-1])
    exact, pattern = find("canary-by-header-value"), find("canary-by-header-pattern")
    if exact and pattern and header:
        yield hit(pattern, "both", other=exact)
    weight = find("canary-weight")
    if weight is None:
        return
    written = ingress.annotations[weight]
    total = value(ingress, *keys_of(who, "canary-weight-total")) or "100"
    if who == "alb":
        others = [key for key in map(find, ("canary-by-header", "canary-by-cookie")) if key]
        if others:
            yield hit(weight, "alb-weight", other=others[0])
    elif written and written.lstrip("-").isdecimal() and total.isdecimal() and not 0 <= int(written) <= int(total):
        yield hit(weight, "weight", total=int(total))


# --- Pairs


def _same_place(one: IngressPath, other: IngressPath) -> bool:
    return one.host == other.host and (one.path or "/") == (other.path or "/")


def _vague(path: IngressPath) -> bool:
    return not path.host_known or not path.path_known


def _canary_key(ingress: IngressFact, who: Controller | None) -> str:
    found = annotation(ingress, *keys_of(who, "canary"))
    return found[0] if found else ""


def ingress_canary_no_primary(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A canary that no other Ingress has the hosts and paths of."""
    who = reading(ingress, project, profile).controller
    if who not in NAMES or not ingress.paths or not is_canary(ingress, who):
        return
    key = _canary_key(ingress, who)
    if ingress.annotations[key] is None or any(_vague(path) for path in ingress.paths):
        return
    for path in ingress.paths:
        for one in with_host(path.host, project):
            if one is ingress or is_canary(one, who):
                continue
            if any(_vague(other) or _same_place(path, other) for other in one.paths) or project.is_patched(one, "spec"):
                return
    # The primary may be kept elsewhere.
    near = any(not is_canary(one, who) and project.beside(one.resource, ingress.resource) for one in project.ingresses)
    first = ingress.paths[0]
    yield Hit(
        at("metadata", "annotations", key),
        message="alb" if who == "alb" else "default",
        severity=None if near or project.is_complete("Ingress") else "info",
        related=(Related(first.at, note="path"),),
        name=NAMES[who],
        host=first.host or "*",
        path=first.path or "/",
    )


def ingress_canary_multiple(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A second canary for one host and path, of which ingress-nginx applies only one."""
    who = reading(ingress, project, profile)
    if who.controller != "nginx" or not is_canary(ingress, "nginx") or not ingress.paths:
        return
    owners = [one for path in ingress.paths for one in with_host(path.host, project)]
    for one in owners:
        if one is ingress:
            return
        if not is_canary(one, "nginx") or reading(one, project, profile).controller != "nginx":
            continue
        if not project.together(one.resource, ingress.resource):
            continue
        for path in ingress.paths:
            same = next((other for other in one.paths if _same_place(path, other) and not _vague(path)), None)
            if same is None or _vague(same):
                continue
            yield Hit(
                at("metadata", "annotations", _canary_key(ingress, "nginx")),
                severity=None if who.certain else "warning",
                related=(Related(same.at, of=one, note="other"),),
                host=path.host or "*",
                path=path.path or "/",
                other=one.name,
            )
            return


# --- ALB


def alb_canary_conflict(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A canary of an ALB with conditions of its own, or by weight with a forward action.

    The controller gives up the rules of the whole ALB
    (alibaba/alibaba-load-balancer-controller, builder/albconfig_manager/model_build_listener_rules.go).
    """
    if not any(key.startswith((f"{ALB}conditions.", f"{ALB}actions.")) for key in ingress.annotations):
        return
    if reading(ingress, project, profile).controller != "alb" or value(ingress, *keys_of("alb", "canary")) != "true":
        return
    weighted = not any(
        annotation(ingress, *keys_of("alb", name)) for name in ("canary-by-header", "canary-by-cookie")
    ) and bool(value(ingress, *keys_of("alb", "canary-weight")))
    for service in dict.fromkeys(backend.service for backend in ingress.backends):
        key = f"{ALB}conditions.{service}"
        if key in ingress.annotations:
            yield Hit(_key_at(key), message="conditions", key=key)
        key = f"{ALB}actions.{service}"
        if weighted and _forwards(ingress.annotations.get(key)):
            yield Hit(_key_at(key), message="actions", key=key)


def _key_at(key: str) -> FieldPath:
    return at("metadata", "annotations", key).key


def _forwards(text: str | None) -> bool:
    actions = parse_json(text) if text else BROKEN
    return isinstance(actions, list) and any(
        isinstance(one, dict) and str(one.get("type", one.get("Type", ""))).lower().startswith("forward")
        for one in actions
    )
