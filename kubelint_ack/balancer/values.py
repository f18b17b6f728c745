"""What is wrong with the value of one annotation, by its row in the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kubelint_ack.annotations import Part, atoi, is_placeholder, items
from kubelint_ack.balancer import Balancer, Setting, milder
from kubelint_ack.names import dns1123_subdomain
from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit, Severity
from kubelint_ack.values import nearest


def read(balancer: Balancer, *types: str) -> Iterator[tuple[Setting, dict[str, Any]]]:
    """The settings of some forms that this kind of load balancer reads, each with how."""
    for setting in balancer.settings.values():
        if setting.reading is not None and setting.type in types:
            yield setting, dict(setting.reading)


def _weight(balancer: Balancer, reading: dict[str, Any]) -> Severity | None:
    """The severity that a wrong value has by what it does; None: error."""
    if balancer.manages_listeners is False and reading.get("wrong") != "stops":
        return "warning"
    return None if reading.get("wrong") in ("stops", "refused") else "warning"


# --- Numbers, flags and words


def wrong_integers(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    """Values that are no integers, or out of range."""
    for setting, reading in read(balancer, "integer"):
        value = setting.value
        if value in reading.get("values", ()) or (reading.get("lazy") and not balancer.has_effect(setting)):
            continue
        number, (low, high) = atoi(value), reading["range"]
        if number is None:
            unsure: Severity | None = "warning" if reading.get("lazy") and not balancer.is_met(setting) else None
            yield balancer.hit(setting.at, severity=unsure, name=setting.name, value=value, low=low, high=high)
        elif not low <= number <= high:
            severity: Severity | None = None if reading.get("outside") == "stops" else "warning"
            yield balancer.hit(
                setting.at,
                message="range",
                severity=milder(profile, severity),
                name=setting.name,
                value=value,
                low=low,
                high=high,
            )


def wrong_flags(balancer: Balancer) -> Iterator[Hit]:
    """Values of switches that are neither on nor off."""
    for setting, reading in read(balancer, "flag", "true"):
        value = setting.value.lower() if reading.get("any_case") else setting.value
        if setting.type == "true":
            if value not in ("true", "false"):
                yield balancer.hit(
                    setting.at,
                    message="exact",
                    severity="warning",
                    name=setting.name,
                    value=setting.value,
                    right="true",
                )
        elif value not in ("on", "off"):
            stops = reading.get("wrong") == "stops"
            yield balancer.hit(
                setting.at,
                message={"stops": "stops", "ignored": "ignored"}.get(reading.get("wrong", ""), "default"),
                severity=None if stops else "warning",
                name=setting.name,
                value=setting.value,
                right=_flag(setting.value),
            )


def _flag(value: str) -> str:
    """The switch that a word was meant for."""
    return "off" if value.strip().lower() in ("off", "false", "no", "0", "disable", "disabled") else "on"


def wrong_words(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    """Words, or items of lists of words, that are not among those allowed."""
    for setting, reading in read(balancer, "enum", "enums"):
        if not balancer.has_effect(setting):
            continue
        severity = _weight(balancer, reading)
        if reading.get("check") == "http" and severity is None and not balancer.http_check:
            severity = "info" if balancer.http_check is False else "warning"
        parts = items(setting.value) if setting.type == "enums" else [Part(setting.value, 0, len(setting.value))]
        for part in parts:
            if is_placeholder(part.text) or _is_allowed(part.text, reading):
                continue
            graver = severity
            # Whether the cloud's API tells capitals apart is not known.
            if not reading.get("exact") and _is_allowed(part.text.strip(), reading, any_case=True):
                graver = graver or "warning"
            if re.fullmatch(reading.get("maybe", "(?!)"), part.text):
                graver = "info"
            yield _wrong_word(balancer, setting, part, reading["values"], milder(profile, graver))


def _is_allowed(word: str, reading: dict[str, Any], *, any_case: bool = False) -> bool:
    values: list[str] = reading["values"]
    if word in values or ("prefix" in reading and word.startswith(reading["prefix"])):
        return True
    return (any_case or bool(reading.get("any_case"))) and word.lower() in {value.lower() for value in values}


def _wrong_word(
    balancer: Balancer, setting: Setting, part: Part, values: Sequence[str], severity: Severity | None
) -> Hit:
    near = nearest(part.text.strip().lower(), [value.lower() for value in values], 0.7)
    right = {value.lower(): value for value in values}.get(near or "", "")
    return balancer.hit(
        setting.at.slice(part.start, part.end) if setting.type == "enums" and part.text else setting.at,
        message="near" if right else "default",
        severity=severity,
        name=setting.name,
        value=part.text,
        allowed=list(values),
        right=right,
    )


# --- Identifiers, names, pairs


def malformed(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    """Values that have not the form of their kind: identifiers, names, paths, pairs."""
    yield from _malformed_texts(balancer)
    yield from _malformed_ids(balancer)
    yield from _foreign_certificates(balancer)
    yield from _malformed_items(balancer, profile)


def _malformed_texts(balancer: Balancer) -> Iterator[Hit]:
    for setting, reading in read(balancer, "text", "path", "host", "zone"):
        value = setting.value
        if setting.type == "host" and "pattern" not in reading:
            wrong = bool(dns1123_subdomain(value))
        else:
            wrong = "pattern" in reading and not re.fullmatch(reading["pattern"], value)
        if not wrong or not balancer.has_effect(setting):
            continue
        severity = _weight(balancer, reading)
        if reading.get("check") == "http" and severity is None and not balancer.http_check:
            severity = "info" if balancer.http_check is False else "warning"
        message = setting.name if setting.name in _OWN_WORDS else "default"
        yield balancer.hit(setting.at, message=message, severity=severity, name=setting.name, value=value)


# Wordings of their own under `message` of the rule.
_OWN_WORDS = ("name", "cookie", "health-check-uri", "health-check-domain", "hostname")


def _malformed_ids(balancer: Balancer) -> Iterator[Hit]:
    for setting, reading in read(balancer, "id", "ids"):
        prefix = reading.get("prefix")
        if prefix is None or not balancer.has_effect(setting):
            continue
        for part in items(setting.value):
            bare = part.bare
            if is_placeholder(bare.text) or bare.text.startswith(prefix):
                continue
            place = setting.at.slice(bare.start, bare.end) if bare.text else setting.at
            other = _other_kind(balancer, setting, bare.text)
            yield balancer.hit(
                place,
                message="other-kind" if other else ("id" if bare.text else "empty"),
                severity=None if other else "warning",
                name=setting.name,
                value=bare.text,
                prefix=prefix,
                balancer=balancer.label,
                other=other.upper(),
            )


# Certificates of CLBs are named `<account>_<certificate>`, those of the Certificate Management Service
# `<number>-<region>`, as the documentation of either load balancer shows them.
_FOREIGN = {"nlb": "[0-9]+_[0-9a-z_-]+", "clb": "[0-9]+-[a-z]{2}-[a-z0-9-]+"}


def _foreign_certificates(balancer: Balancer) -> Iterator[Hit]:
    """Certificates that have the form of the other kind of load balancer."""
    for name in ("cert-id", "additional-cert-ids", "cacert-id"):
        setting = balancer.settings.get(name)
        if setting is None or setting.reading is None:
            continue
        for part in items(setting.value):
            bare = part.bare
            if re.fullmatch(_FOREIGN[balancer.kind], bare.text):
                place = setting.at.slice(bare.start, bare.end)
                message = f"certificate-{balancer.kind}"
                yield balancer.hit(place, message=message, severity="warning", name=name, value=bare.text)


def _other_kind(balancer: Balancer, setting: Setting, value: str) -> str:
    """The other kind of load balancer, if that is what an identifier names."""
    for kind, reading in setting.row["readers"].items():
        prefix = reading.get("prefix")
        if kind != balancer.kind and prefix and prefix != (setting.reading or {}).get("prefix"):
            return kind if value.startswith(prefix) else ""
    return ""


def _malformed_items(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    for setting, reading in read(balancer, "pairs", "domain-certificates"):
        parts = items(setting.value)
        severity: Severity | None = None if reading.get("wrong") == "stops" else "warning"
        needed = reading.get("backends")
        if needed and balancer.backends(profile) != needed:
            severity = "warning"
        for part in parts:
            bare = part.bare
            if is_placeholder(bare.text) or re.fullmatch(reading["pattern"], bare.text):
                continue
            yield balancer.hit(
                setting.at.slice(bare.start, bare.end) if bare.text else setting.at,
                message="item" if bare.text else "empty",
                severity=severity,
                name=setting.name,
                value=bare.text,
                form=setting.row["form"].removesuffix(",…"),
            )
        most = reading.get("most", len(parts))
        if len(parts) > most:
            yield balancer.hit(
                setting.at, message="many", severity="warning", name=setting.name, count=len(parts), most=most
            )


# --- White space


def blanks(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    """White space inside lists that the controller takes for a part of the item."""
    ports = {str(one.port) for one in balancer.listeners}
    for setting, reading in read(balancer, *_BLANKS):
        if reading.get("trims"):
            continue
        needed = reading.get("backends")
        for part in items(setting.value):
            fields = part.split(_BLANKS[setting.type]) if _BLANKS[setting.type] else [part]
            if is_placeholder(part.text) or not part.text.strip() or not any(field.blank for field in fields):
                continue
            elsewhere = needed and balancer.backends(profile) != needed
            unread = setting.type in _PORT_LAST and fields[-1].text.strip() not in ports
            severity: Severity | None = "warning" if reading.get("wrong") == "passed" or elsewhere or unread else None
            # A block scalar (`|`) ends with a line break.
            broken = "\n" in part.text
            yield balancer.hit(
                setting.at.slice(part.start, part.end),
                message="line" if broken else "default",
                severity=severity,
                name=setting.name,
                item=part.text.strip() if broken else part.text,
                right=_BLANKS[setting.type].join(field.text.strip() for field in fields),
            )


# Forms of lists, and what separates the fields of their items. protocol-ports: lb-protocol-port-format.
_BLANKS = {"ids": "", "pairs": "=", "group-ports": ":", "port-map": ":", "zone-maps": ":", "port-ranges": ":"}
_PORT_LAST = ("group-ports", "port-ranges")


# --- Placeholders


def placeholders(balancer: Balancer) -> Iterator[Hit]:
    """Identifiers that still are what documentation shows."""
    for setting in (*balancer.settings.values(), *balancer.vague.values()):
        if setting.reading is None or setting.type not in _IDENTIFIERS:
            continue
        for part in items(setting.value):
            if re.search(_DOCUMENTED, part.text):
                place = setting.at.slice(part.bare.start, part.bare.end)
                yield balancer.hit(place, name=setting.name, value=part.bare.text)


_IDENTIFIERS = frozenset({"id", "ids", "zone", "zone-maps", "group-ports"})
_DOCUMENTED = r"(?i)\*{3}|xxx|your[-_]"
