"""Checks of AlbConfigs. Their CRD lets every field pass: what is wrong shows only when the controller reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.ack import alb_config_fields
from kubelint_ack.annotations import is_placeholder
from kubelint_ack.facts import AlbConfigFact, AlbListener
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.ingress import listeners, of_alb
from kubelint_ack.records import Hit, Related, Route, Severity, Unknown
from kubelint_ack.values import address, at_least, cidr, cidr_problem
from kubelint_ack.views import View, mapping, sequence, text

# --- Single fields


def albconfig_value_invalid(config: View, profile: Profile) -> Iterator[Hit]:
    """A field with a value or of a type that the controller or the ALB refuses."""
    for path, rule in alb_config_fields().items():
        for route, found in _values(config.data, path.split("."), ()):
            message = _wrong(found, rule)
            if message is None:
                continue
            name, level = message
            severity: Severity | None = None if level == "error" else "warning"
            yield Hit(
                config.at(*route).value if isinstance(route[-1], str) else config.at(*route),
                message=name,
                severity=severity,
                field=path.removeprefix("spec."),
                value=found if not isinstance(found, (dict, list)) else "…",
                expected=rule.get("expected") or ", ".join(rule.get("values", ())),
            )
    logs = mapping(config.get("spec", "config", "accessLogConfig"))
    given = [key for key in ("logProject", "logStore") if logs.get(key)]
    if len(given) == 1:
        other = "logStore" if given[0] == "logProject" else "logProject"
        here = config.at("spec", "config", "accessLogConfig", given[0])
        yield Hit(here, message="pair", severity="warning", field=given[0], value="", expected=other)


def _values(node: Any, steps: list[str], route: Route) -> Iterator[tuple[Route, Any]]:
    """The values at a path like `spec.listeners[].port`, with their routes."""
    if not steps:
        yield route, node
        return
    key, rest = steps[0].removesuffix("[]"), steps[1:]
    if not isinstance(node, dict) or key not in node:
        return
    inner = node[key]
    if not steps[0].endswith("[]"):
        yield from _values(inner, rest, (*route, key))
    elif isinstance(inner, list):
        for index, item in enumerate(inner):
            yield from _values(item, rest, (*route, key, index))


def _wrong(found: Any, rule: Mapping[str, Any]) -> tuple[str, str] | None:
    """(wording, severity) of what is wrong with a value; None: nothing, or it cannot be known."""
    level = rule["wrong"]
    if isinstance(found, Unknown) or found is None or (isinstance(found, str) and is_placeholder(found)):
        return None
    kind = rule["type"]
    if kind == "boolean":
        return None if isinstance(found, bool) else ("boolean", level)
    if kind == "object":
        return None if isinstance(found, dict) else ("object", level)
    if kind == "port":
        number = int(found) if isinstance(found, str) and found.isdecimal() else found
        good = isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= 65535
        return None if good else ("port", level)
    if kind == "network":
        return _network(found, level)
    if not isinstance(found, str):
        return ("text", level)
    if found in rule.get("refused", ()):
        return ("refused", level)
    if kind == "enum" and found not in rule["values"]:
        return ("case" if found.lower() in map(str.lower, rule["values"]) else "enum", level)
    if "pattern" in rule and found and not re.fullmatch(rule["pattern"], found):
        return ("pattern", level)
    return None


def _network(found: Any, level: str) -> tuple[str, str] | None:
    written = found.get("entry") if isinstance(found, dict) else found
    if not isinstance(written, str):
        return None
    if cidr(written):
        return ("host-bits", "warning") if cidr_problem(written) else None
    return ("mask", "warning") if address(written) else ("network", level)


def albconfig_tags(config: View, profile: Profile) -> Iterator[Hit]:
    """Tags without a key, with a reserved one, or without a value."""
    running = (profile.components or {}).get("alb-ingress-controller")
    for index, entry in enumerate(sequence(config.get("spec", "config", "tags"))):
        item = mapping(entry)
        here = config.at("spec", "config", "tags", index)
        key = item.get("key")
        if not isinstance(entry, dict) or isinstance(key, Unknown):
            continue
        if not key:
            yield Hit(here, key="")
        elif text(key) and key.startswith(("aliyun", "acs:")):
            yield Hit(config.at("spec", "config", "tags", index, "key").value, message="reserved", key=key)
        elif item.get("value") in (None, "") and not at_least(running, "2.19.1"):
            yield Hit(here, message="value", severity="warning", key=key)


# --- The instance


def albconfig_zone_mappings(config: View, profile: Profile) -> Iterator[Hit]:
    """The vSwitches of a new ALB: their form, and that they lie in two zones."""
    own = mapping(config.get("spec", "config"))
    written = own.get("zoneMappings")
    if own.get("id") or isinstance(written, Unknown) or not own:
        return
    zones = {one.id: one.zone for one in profile.vswitches or () if one.id}
    seen: dict[str, Route] = {}
    for index, entry in enumerate(sequence(written)):
        name = mapping(entry).get("vSwitchId")
        route: Route = ("spec", "config", "zoneMappings", index, "vSwitchId")
        if not isinstance(name, str) or re.search(r"[{}<>$*]|xxx|(?i:your)", name):
            # Unknown, or to be filled in.
            return
        here = config.at(*route).value
        if not name.startswith("vsw-"):
            yield Hit(here, message="form", vswitch=name, zone="")
        elif name in seen:
            yield Hit(here, message="twice", related=(Related(config.at(*seen[name])),), vswitch=name, zone="")
        elif zones.get(name) and any(zones.get(other) == zones[name] for other in seen):
            yield Hit(here, message="zone", vswitch=name, zone=zones[name])
        seen.setdefault(name, route)
    if len(seen) < 2:
        old = at_least((profile.components or {}).get("alb-ingress-controller"), "2.8.1") is False
        place = config.at("spec", "config", "zoneMappings")
        yield Hit(place, message="default", severity=None if old else "warning", vswitch="", zone="")


def albconfig_address_type(config: View, profile: Profile) -> Iterator[Hit]:
    """A new ALB that is public because nothing says what it shall be."""
    own = mapping(config.get("spec", "config"))
    if own and not own.get("id") and not own.get("addressType"):
        name = config.name
        yield Hit(config.at("spec", "config", "addressType"), depends=(config.at("spec", "config", "id"),), config=name)


def albconfig_waf_revert(config: View, profile: Profile) -> Iterator[Hit]:
    """An existing ALB that is overwritten without saying which edition it has."""
    own = mapping(config.get("spec", "config"))
    if own.get("id") and own.get("forceOverride") is True and "edition" not in own:
        yield Hit(config.at("spec", "config", "forceOverride"), alb=text(own.get("id")) or "")


def albconfig_acl_and_sg(config: View, profile: Profile) -> Iterator[Hit]:
    """Lists of addresses on a listener together with security groups of the instance."""
    groups = config.get("spec", "config", "securityGroupIds")
    if not groups or isinstance(groups, Unknown):
        return
    for index, entry in enumerate(sequence(config.spec.get("listeners"))):
        acl = mapping(mapping(entry).get("aclConfig"))
        if any(sequence(acl.get(key)) for key in ("aclEntries", "aclIds")):
            related = (Related(config.at("spec", "config", "securityGroupIds"), note="groups"),)
            yield Hit(config.at("spec", "listeners", index, "aclConfig").key, related=related)


# --- Listeners


def albconfig_listener_incomplete(config: View, profile: Profile) -> Iterator[Hit]:
    """A listener without port or protocol: most likely an indentation mistake."""
    for index, entry in enumerate(sequence(config.spec.get("listeners"))):
        if not isinstance(entry, dict):
            continue
        lacking = [key for key in ("port", "protocol") if entry.get(key) in (None, "")]
        if lacking:
            yield Hit(config.at("spec", "listeners", index), lacking=lacking, given=sorted(map(str, entry)))


def alb_listener_port_conflict(config: AlbConfigFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Two listeners on one port."""
    seen: dict[tuple[int, str], AlbListener] = {}
    for one in config.listeners:
        if one.port is None or one.protocol is None:
            continue
        # QUIC is UDP: it may share a port with HTTP or HTTPS.
        key = one.port, "udp" if one.protocol == "QUIC" else "tcp"
        first = seen.setdefault(key, one)
        if first is not one and not project.is_patched(config, "spec"):
            yield Hit(
                one.at,
                message="default" if first.protocol != one.protocol else "same",
                related=(Related(first.at, note="first"),),
                port=one.port,
                protocol=one.protocol,
                other=first.protocol,
            )


def alb_https_without_cert(config: AlbConfigFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """An HTTPS listener that gets no certificate from anywhere."""
    if project.is_patched(config, "spec"):
        return
    for one in config.listeners:
        if one.protocol not in ("HTTPS", "QUIC") or one.certificates == "given":
            continue
        if one.certificates == "empty":
            yield Hit(one.at, message="empty", port=one.port, protocol=one.protocol)
            continue
        users = of_alb(config, project, profile)
        # Without its Ingresses nothing is known; a Gateway brings certificates of its own.
        if not users or project.gateways or any(listeners(ingress) is None for ingress in users):
            continue
        if any((one.port, one.protocol) in (listeners(ingress) or ()) for ingress in users):
            continue
        certain = project.is_complete("Ingress")
        yield Hit(one.at, severity=None if certain else "warning", port=one.port, protocol=one.protocol)
