"""Annotations that have no effect: unread, idle without another one, or ahead of the controller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubelint_ack.ack import catalogue
from kubelint_ack.annotations import is_placeholder
from kubelint_ack.balancer import CONTROLLER, Balancer, Setting, running
from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit, Related, Severity, Unknown
from kubelint_ack.values import at_least, nearest
from kubelint_ack.views import LB_PREFIXES, Service

# --- Keys


def unknown_keys(service: Service, profile: Profile) -> Iterator[Hit]:
    """Keys with the controller's prefix that it does not read, and keys whose prefix is nearly right."""
    known = catalogue("service")
    declared = running(profile)
    newer = declared is not None and declared[:2] > known.covers[CONTROLLER]
    for key in service.annotations:
        name = known.name_of(key)
        if name in known.known or is_placeholder(key):
            continue
        if name is None:
            right = _right_prefix(key) if service.type == "LoadBalancer" else None
            if right:
                place = service.at("metadata", "annotations", key).key
                yield Hit(place, message="prefix", key=key, near=right, depends=(service.at("spec", "type"),))
            continue
        near = known.unread.get(name)
        if near is None:
            found = nearest(name.lower().replace("_", "-"), known.known)
            near = (key[: len(key) - len(name)] + found if "/" not in found else found) if found else None
        yield Hit(
            service.at("metadata", "annotations", key).key,
            message="near" if near else "default",
            severity="info" if newer else None,
            key=key,
            near=near or "",
        )


_NEARLY = r"(?:.*/)?(?:ali(?:baba|cloud|yun)?[-.]?cloud|aliyun|alicloud|alibaba)[-.]?(?:load-?balancer|slb|lb)-(.+)"
"""A key that means a load balancer of Alibaba Cloud, whatever its domain; the name is what follows."""


def _right_prefix(key: str) -> str | None:
    """The key that one with a wrong prefix was meant for."""
    if "ali" not in key or ("balancer" not in key and "lb" not in key):
        return None
    found = re.fullmatch(_NEARLY, key.lower())
    if not found:
        return None
    known = catalogue("service")
    name = known.unread.get(found[1]) or (found[1] if found[1] in known.known else None)
    return known.key(name) if name else None


def older_keys(service: Service) -> Iterator[tuple[str, str, str]]:
    """(name, key, key with the newer prefix) of annotations under the older prefix."""
    for key in service.annotations:
        if key.startswith(LB_PREFIXES[1]):
            name = key[len(LB_PREFIXES[1]) :]
            if name in catalogue("service").known:
                yield name, key, LB_PREFIXES[0] + name


def shadowed(service: Service) -> Iterator[Hit]:
    """Older keys beside the newer one with another value."""
    for name, key, newer in older_keys(service):
        value, other = service.annotations[key], service.annotations.get(newer)
        if other is None or isinstance(value, Unknown) or isinstance(other, Unknown) or value == other:
            continue
        at = service.at("metadata", "annotations", newer)
        yield Hit(service.at("metadata", "annotations", key), name=name, related=(Related(at, note="newer"),))


# --- What the other kind of load balancer reads


def ignored(balancer: Balancer) -> Iterator[Hit]:
    """Annotations that only the other kind of load balancer reads."""
    known = catalogue("service").known
    for name in (*balancer.settings, *balancer.vague):
        row = known[name]
        if balancer.kind in row["readers"] or row["type"] == "special":
            continue
        instead = row.get("instead", {}).get(balancer.kind, "")
        yield balancer.hit(
            balancer.at(name).key,
            message=f"{balancer.kind}-instead" if instead and balancer.kind == "nlb" else balancer.kind,
            name=name,
            instead=instead,
        )


# --- What needs another annotation

# Told by rules of their own.
_ELSEWHERE = frozenset({"spec", "ip", "acl-status", "acl-id", "acl-type"})


def idle(balancer: Balancer) -> Iterator[Hit]:
    """Annotations that lack another one without which they do nothing."""
    for setting in (*balancer.settings.values(), *balancer.vague.values()):
        if setting.name in _ELSEWHERE:
            continue
        for need in (setting.reading or {}).get("needs", ()):
            if need["key"] != "health-check-flag" and balancer.unmet(need, setting):
                yield _idle(balancer, setting, need)
                break


def _idle(balancer: Balancer, setting: Setting, need: dict[str, Any]) -> Hit:
    values = [value for value in need.get("values", ()) if value is not None]
    message = "value" if values else "default"
    if "when" in need:
        message = f"set-{message}"
    severity: Severity | None = "info" if need.get("minor") else None
    return balancer.hit(
        setting.at,
        message=message,
        severity=severity,
        name=setting.name,
        value=setting.value,
        other=need["key"],
        wanted=values[0] if values else "",
    )


def check_settings_without_flag(balancer: Balancer) -> Iterator[Hit]:
    """Settings of an NLB's health check that are not read because it is not switched on: one hit at the first."""
    if balancer.kind != "nlb" or balancer.is_on("health-check-flag") is not False:
        return
    idle = [
        setting
        for setting in (*balancer.settings.values(), *balancer.vague.values())
        if any(need["key"] == "health-check-flag" for need in (setting.reading or {}).get("needs", ()))
    ]
    if not idle:
        return
    flag = balancer.value("health-check-flag")
    # Another word is reported by lb-flag-invalid.
    if flag is not None and flag.lower() != "off":
        return
    yield balancer.hit(
        idle[0].at.key,
        message="disabled" if flag else "default",
        severity="info" if flag else None,
        related=tuple(Related(one.at.key, note="unread") for one in idle[1:]),
        name=idle[0].name,
        count=len(idle),
        flag=flag or "",
    )


# --- What other listeners or backends have


def without_listener(balancer: Balancer) -> Iterator[Hit]:
    """Annotations for protocols that none of the listeners has."""
    if not balancer.listeners_known or not balancer.listeners or balancer.manages_listeners is not True:
        return
    protocols = {one.protocol or "" for one in balancer.listeners}
    found: dict[str, list[Setting]] = {}
    lead: dict[str, str] = {}
    for setting in (*balancer.settings.values(), *balancer.vague.values()):
        reading = setting.reading or {}
        wanted = reading.get("listeners")
        if not wanted or protocols & set(wanted) or not balancer.has_effect(setting):
            continue
        checks = setting.name.startswith("health-check-")
        if setting.type == "flag" and setting.value.lower() == "off" and not checks:
            continue
        # What goes with an annotation that is told is told with it.
        first = next((lead[need["key"]] for need in reading.get("needs", ()) if need["key"] in lead), setting.name)
        lead[setting.name] = first
        found.setdefault(first, []).append(setting)
    for setting, *others in found.values():
        # The check of TCP and UDP listeners is on anyway.
        mild = setting.name == "cert-id" or (setting.name == "health-check-flag" and setting.value == "on")
        yield balancer.hit(
            setting.at,
            message="check" if setting.name == "health-check-flag" and balancer.kind == "clb" else "default",
            severity="info" if mild else None,
            related=tuple(Related(one.at.key, note="other") for one in others),
            name=setting.name,
            value=setting.value,
            needed=[word.upper() for word in (setting.reading or {})["listeners"]],
            have=sorted(word.upper() for word in protocols),
        )


def without_backends(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    """Annotations for the other type of backends."""
    for setting in (*balancer.settings.values(), *balancer.vague.values()):
        wanted = (setting.reading or {}).get("backends")
        # lb-port-range-invalid tells what happens to a range.
        if not wanted or setting.type == "port-ranges":
            continue
        if setting.type == "flag" and setting.value.lower() == "off":
            continue
        have = balancer.backends(profile)
        if have is not None and have != wanted:
            yield balancer.hit(setting.at, message=wanted, name=setting.name)


# --- Versions


def too_new(balancer: Balancer, service: Service, profile: Profile) -> Iterator[Hit]:
    """What needs a newer controller or Kubernetes than the profile declares."""
    have = (profile.components or {}).get(CONTROLLER)
    if balancer.kind == "nlb" and _older(profile, "1.24", "2.5.0"):
        yield _too_new(service, balancer, profile, "nlb", "2.5.0", service.at("spec", "loadBalancerClass"))
        return
    seen: dict[int, str] = {}
    for listener in balancer.listeners:
        other = seen.setdefault(listener.port, listener.transport)
        if other != listener.transport and _older(profile, "1.24", "2.6.0"):
            place = service.at("spec", "ports", listener.position, "protocol")
            yield _too_new(service, balancer, profile, "mixed", "2.6.0", place, port=listener.port)
    for setting in balancer.settings.values():
        since = (setting.reading or {}).get("since")
        if since and at_least(have, since) is False:
            yield balancer.hit(
                setting.at.key, message="default", severity="warning", name=setting.name, since=since, have=have
            )


def _older(profile: Profile, kubernetes: str, controller: str) -> bool:
    have = (profile.components or {}).get(CONTROLLER)
    return at_least(profile.kubernetes_version_text, kubernetes) is False or at_least(have, controller) is False


def _too_new(
    service: Service, balancer: Balancer, profile: Profile, message: str, since: str, place: Any, **values: Any
) -> Hit:
    have = [f"Kubernetes {profile.kubernetes_version_text}"] if profile.kubernetes_version_text else []
    if running(profile):
        have.append(f"{CONTROLLER} {(profile.components or {})[CONTROLLER]}")
    return balancer.hit(place, message=message, since=since, have=have, **values)
