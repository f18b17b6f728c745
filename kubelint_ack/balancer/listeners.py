"""Listeners: what `protocol-port` and the other lists of ports make of the ports of a Service."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubelint_ack.annotations import Entry, atoi, port_range
from kubelint_ack.balancer import Balancer, Setting
from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Related, Severity, at
from kubelint_ack.values import address
from kubelint_ack.views import Service, integer


def _place(setting: Setting, entry: Entry, index: int | None = None) -> FieldPath:
    """An entry, or one of its fields."""
    part = entry.whole if index is None or index >= len(entry.fields) else entry.fields[index]
    part = part.bare
    return setting.at.slice(part.start, part.end) if part.text else setting.at


def reached(balancer: Balancer, listed: list[Entry]) -> set[int]:
    """Which entries the controller comes to while it looks for each port of the Service, from left to right."""
    found: set[int] = set()
    for _, number, _, _ in balancer.ports:
        port = integer(number)
        if port is None:
            continue
        for index, entry in enumerate(listed):
            found.add(index)
            if len(entry.fields) > 1 and entry.fields[1].text == str(port):
                break
    return found


def _torn(entry: Entry) -> str:
    """The wording for an entry without its colon."""
    return "default" if entry.text.strip() else "empty"


# --- protocol-port


def malformed_protocols(balancer: Balancer) -> Iterator[Hit]:
    """Entries of `protocol-port` that the controller cannot read, or reads as something else.

    It gives up at an entry without a colon or with an unknown protocol; nothing is trimmed, and fields after the second
    are not looked at (pkg/controller/service/clbv1/listeners.go).
    """
    setting = balancer.settings.get("protocol-port")
    if setting is None:
        return
    listed = balancer.entries("protocol-port")
    read = reached(balancer, listed)
    for index, entry in enumerate(listed):
        message, right = _malformed(entry, balancer)
        if not message or entry.vague:
            continue
        # A port that is never found is left at its own protocol; all else stops the whole Service.
        stops = index in read and balancer.manages_listeners and message not in ("blank-port", "several")
        place = setting.at.slice(entry.whole.start, entry.whole.end) if entry.text else setting.at
        yield balancer.hit(place, message=message, severity=None if stops else "warning", entry=entry.text, right=right)


def _malformed(entry: Entry, balancer: Balancer) -> tuple[str, str]:
    """What is wrong with the form of an entry, and how it is written; empty if nothing is."""
    if not entry.text.strip():
        return "empty", ""
    if len(entry.fields) == 1:
        return "default", ""
    if len(entry.fields) > 2:
        return "several", ""
    first, second = entry.fields
    if first.text.strip().isdigit() and balancer.protocol(second.text.strip().lower()):
        return "swapped", f"{second.text.strip()}:{first.text.strip()}"
    right = ":".join(part.text.strip() for part in entry.fields)
    if first.blank:
        return "blank", right
    return ("blank-port", right) if second.blank else ("", "")


def _sound(balancer: Balancer) -> Iterator[tuple[int, Entry]]:
    """Entries of `protocol-port` that have a protocol and a port, and nothing to be filled in."""
    for index, entry in enumerate(balancer.entries("protocol-port")):
        if not entry.vague and not _malformed(entry, balancer)[0]:
            yield index, entry


def unsupported_protocols(balancer: Balancer) -> Iterator[Hit]:
    """Protocols that this kind of load balancer has not, or that do not carry what the Service port does."""
    setting = balancer.settings.get("protocol-port")
    if setting is None:
        return
    listed = balancer.entries("protocol-port")
    read = reached(balancer, listed)
    known = (setting.reading or {})["values"]
    transports: dict[str, set[str]] = {}
    for one in balancer.listeners:
        transports.setdefault(str(one.port), set()).add(one.transport)
    for index, entry in _sound(balancer):
        word, port = (field.text for field in entry.fields)
        protocol = balancer.protocol(word)
        place = _place(setting, entry, 0)
        if protocol is None:
            right = word.lower() if word.lower() in known else ""
            stops = index in read and balancer.manages_listeners
            yield balancer.hit(
                place,
                message="case" if right else "default",
                severity=None if stops else "warning",
                protocol=word,
                balancer=balancer.label,
                allowed=list(known),
                right=right,
            )
        elif port in transports and ("UDP" if protocol == "udp" else "TCP") not in transports[port]:
            yield balancer.hit(
                place, message="mismatch", severity="warning", protocol=word, port=port, transport=min(transports[port])
            )


def unused_protocols(balancer: Balancer, service: Service) -> Iterator[Hit]:
    """Entries of `protocol-port` for ports that the Service has not, or that an earlier entry is for."""
    setting = balancer.settings.get("protocol-port")
    if setting is None or not balancer.listeners or len(balancer.listeners) < len(balancer.ports):
        return
    ports = {str(one.port): one for one in balancer.listeners}
    first: dict[str, Entry] = {}
    for _, entry in _sound(balancer):
        port = entry.fields[1].text
        if balancer.protocol(entry.fields[0].text) is None:
            continue
        if port not in ports:
            message, meant = _meant(service, port)
            yield balancer.hit(_place(setting, entry, 1), message=message, entry=entry.text, port=port, meant=meant)
        elif port in first:
            same = first[port].text == entry.text
            yield balancer.hit(
                _place(setting, entry),
                message="duplicate",
                severity="info" if same else None,
                entry=entry.text,
                port=port,
                meant=first[port].text,
                related=(Related(_place(setting, first[port]), note="first"),),
            )
        first.setdefault(port, entry)


def _meant(service: Service, port: str) -> tuple[str, str]:
    """Wording, and the port of the Service that was meant where its target or node port is written."""
    for _, one in service.ports():
        for field, message in (("targetPort", "target"), ("nodePort", "node")):
            if str(one.get(field, "")) == port:
                return message, str(one.get("port"))
    return "default", ""


# --- Certificates


def without_certificate(balancer: Balancer) -> Iterator[Hit]:
    """TLS listeners, but no certificate."""
    if balancer.state("cert-id") is not False or not balancer.manages_listeners:
        return
    setting = balancer.settings.get("protocol-port")
    for listener in balancer.listeners:
        if setting is None or listener.protocol not in ("https", "tcpssl"):
            continue
        entry = next((one for one in balancer.entries("protocol-port") if one.field(1) == str(listener.port)), None)
        place = _place(setting, entry) if entry else setting.at
        # The listener may be there already, with a certificate of its own.
        severity: Severity | None = None if balancer.reuses is False else "warning"
        yield balancer.hit(place, severity=severity, protocol=listener.protocol.upper(), port=listener.port)


def tls_backends(balancer: Balancer, service: Service) -> Iterator[Hit]:
    """HTTPS listeners that forward to what looks like another TLS port."""
    if balancer.kind != "clb":
        return
    for listener in balancer.listeners:
        target = listener.target
        named = isinstance(target, str) and target.lower() in ("https", "tls", "ssl")
        if listener.protocol == "https" and (named or str(target) in ("443", "8443")):
            written = service.has("spec", "ports", listener.position, "targetPort")
            place = ("spec", "ports", listener.position, "targetPort" if written else "port")
            yield balancer.hit(service.at(*place), target=str(target), port=listener.port)


# --- Other lists of ports


def malformed_groups(balancer: Balancer) -> Iterator[Hit]:
    """Entries of `vgroup-port`: every one is parsed, also without `id`."""
    setting = balancer.settings.get("vgroup-port")
    if setting is None or setting.reading is None:
        return
    ports = {str(one.port) for one in balancer.listeners}
    complete = len(balancer.listeners) == len(balancer.ports)
    for entry in balancer.entries("vgroup-port"):
        # lb-value-whitespace says what white space does.
        if entry.vague or any(field.blank for field in entry.fields):
            continue
        group, port = entry.field(0), entry.field(1)
        prefix = setting.reading["prefix"]
        if len(entry.fields) < 2:
            yield balancer.hit(_place(setting, entry), message=_torn(entry), entry=entry.text)
        elif atoi(group) is not None and port.startswith(prefix):
            yield balancer.hit(
                _place(setting, entry), message="swapped", severity="warning", entry=entry.text, right=f"{port}:{group}"
            )
        elif not group.startswith(prefix):
            yield balancer.hit(
                _place(setting, entry, 0),
                message="group",
                severity="warning",
                group=group,
                prefix=prefix,
                balancer=balancer.label,
            )
        elif complete and port not in ports:
            yield balancer.hit(_place(setting, entry, 1), message="port", severity="warning", port=port)


def wrong_forwards(balancer: Balancer) -> Iterator[Hit]:
    """Entries of `forward-port` that lead from no HTTP listener, or to no HTTPS listener."""
    setting = balancer.settings.get("forward-port")
    if setting is None or balancer.kind != "clb" or not balancer.listeners_known:
        return
    protocols = {str(one.port): one.protocol for one in balancer.listeners}
    sources = {port for port, protocol in protocols.items() if protocol == "http"}
    # Where no listener is HTTP, lb-annotation-needs-listener says so.
    if not sources or not balancer.manages_listeners:
        return
    listed = balancer.entries("forward-port")
    found: set[str] = set()
    for entry in listed:
        first, second = entry.field(0), entry.field(1)
        if entry.vague:
            continue
        graver: Severity | None = "warning" if balancer.reuses else None
        if len(entry.fields) != 2:
            done = sources <= found
            yield balancer.hit(
                _place(setting, entry),
                message=_torn(entry),
                severity="warning" if done else None,
                entry=entry.text,
            )
        elif first not in sources:
            message = "swapped" if second in sources and protocols.get(first) == "https" else "source"
            yield balancer.hit(
                _place(setting, entry, 0), message=message, severity="warning", source=first, target=second
            )
        elif atoi(second) is None:
            yield balancer.hit(_place(setting, entry, 1), message="number", target=second)
        elif protocols.get(second) != "https":
            yield balancer.hit(
                _place(setting, entry, 1), message="target", severity=graver, source=first, target=second
            )
        found.add(first)


def wrong_ranges(balancer: Balancer, service: Service, profile: Profile) -> Iterator[Hit]:
    """Entries of `listener-port-range`: their form, what they are for, and whether they overlap."""
    setting = balancer.settings.get("listener-port-range")
    if balancer.kind != "nlb" or setting is None:
        return
    if balancer.backends(profile) == "ecs":
        yield balancer.hit(setting.at, message="backends")
        return
    ports = {str(one.port): one for one in balancer.listeners}
    taken: list[tuple[str | None, int, int, FieldPath, str]] = []
    ranged: set[str] = set()
    for entry in balancer.entries("listener-port-range"):
        if entry.vague:
            return
        first, port = entry.field(0), entry.field(1)
        bounds = port_range(first)
        if len(entry.fields) != 2:
            yield balancer.hit(_place(setting, entry), message=_torn(entry), entry=entry.text)
        elif port not in ports:
            swapped = first in ports and port_range(port) is not None
            yield balancer.hit(
                _place(setting, entry) if swapped else _place(setting, entry, 1),
                message="swapped" if swapped else "port",
                severity="warning",
                entry=entry.text,
                port=port,
                right=f"{port}:{first}",
            )
        elif bounds is None:
            yield balancer.hit(_place(setting, entry, 0), message="bounds", entry=entry.text, range=first)
        else:
            ranged.add(port)
            taken.append((ports[port].protocol, *bounds, _place(setting, entry, 0), first))
            if isinstance(ports[port].target, str):
                place = service.at("spec", "ports", ports[port].position, "targetPort")
                yield balancer.hit(place, message="named", severity="warning", target=ports[port].target, port=port)
    taken += [
        (one.protocol, one.port, one.port, at("spec", "ports", one.position, "port"), str(one.port))
        for one in balancer.listeners
        if str(one.port) not in ranged
    ]
    yield from _overlaps(balancer, taken)


def _overlaps(balancer: Balancer, taken: list[tuple[str | None, int, int, FieldPath, str]]) -> Iterator[Hit]:
    for index, (protocol, low, high, place, text) in enumerate(taken):
        for other_protocol, other_low, other_high, other_place, other_text in taken[:index]:
            if protocol and protocol == other_protocol and low <= other_high and other_low <= high:
                yield balancer.hit(
                    place,
                    message="overlap",
                    range=text,
                    other=other_text,
                    related=(Related(other_place, note="other"),),
                )
                break


# --- zone-maps


def wrong_zones(balancer: Balancer) -> Iterator[Hit]:
    """Entries of `zone-maps` that name no zone and vSwitch."""
    setting = balancer.settings.get("zone-maps")
    if balancer.kind != "nlb" or setting is None:
        return
    # Entries are split for an existing NLB as well; what becomes of their parts there is not known.
    graver: Severity | None = None if balancer.reuses is False else "warning"
    for entry in balancer.entries("zone-maps"):
        if entry.vague:
            continue
        zone, vswitch, ip, eip = (entry.field(index) for index in range(4))
        if len(entry.fields) < 2:
            yield balancer.hit(_place(setting, entry), message=_torn(entry), entry=entry.text.strip())
        elif zone.startswith("vsw-"):
            yield balancer.hit(
                _place(setting, entry),
                message="swapped",
                severity=graver,
                entry=entry.text.strip(),
                right=f"{vswitch}:{zone}",
            )
        elif not zone:
            yield balancer.hit(_place(setting, entry), message="zone", severity=graver, entry=entry.text.strip())
        elif not vswitch.startswith("vsw-"):
            yield balancer.hit(
                _place(setting, entry, 1), message="vswitch", severity=graver, entry=entry.text.strip(), vswitch=vswitch
            )
        elif ip and (address(ip) is None or ":" in ip):
            yield balancer.hit(
                _place(setting, entry, 2), message="address", severity=graver, entry=entry.text.strip(), address=ip
            )
        elif len(entry.fields) > 4:
            yield balancer.hit(_place(setting, entry), message="several", severity="warning", entry=entry.text.strip())
        elif eip and not eip.startswith("eip-"):
            yield balancer.hit(
                _place(setting, entry, 3), message="eip", severity="warning", entry=entry.text.strip(), eip=eip
            )
        elif not _is_zone(zone):
            yield balancer.hit(
                _place(setting, entry, 0), message="odd-zone", severity="warning", entry=entry.text.strip(), zone=zone
            )


def _is_zone(text: str) -> bool:
    """Whether a text looks like `cn-hangzhou-k` or `ap-southeast-1a`."""
    return re.fullmatch("[a-z]+-[a-z0-9-]*[a-z0-9]", text) is not None


def too_few_zones(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    """One zone only, or one of them twice."""
    setting = balancer.settings.get("zone-maps")
    if balancer.kind != "nlb" or setting is None or balancer.reuses is not False:
        return
    seen: dict[str, Entry] = {}
    listed = balancer.entries("zone-maps")
    for entry in listed:
        zone = entry.field(0)
        if entry.vague or len(entry.fields) < 2 or not zone or zone.startswith("vsw-"):
            return
        if zone in seen:
            yield balancer.hit(_place(setting, entry), message="twice", zone=zone)
            return
        seen[zone] = entry
    if len(seen) == 1 and not (profile.zones is not None and len(profile.zones) == 1):
        yield balancer.hit(setting.at, zone=next(iter(seen)))
