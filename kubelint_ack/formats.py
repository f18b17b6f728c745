"""The formats of strings that the API server checks in custom resources.

It knows go-openapi's names, with or without hyphens; those that nobody needs here (ISBN, credit cards …) are not
checked. apiextensions-apiserver, pkg/apiserver/validation/formats.go, and kube-openapi, pkg/validation/strfmt.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping

from kubelint_ack import values

_UUID = "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?%s-?%s-?[0-9a-f]{12}"
_HEX = "[0-9a-f]{4}"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}|(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?(?:z|[+-]\d\d:\d\d)")
_GO_DURATION = re.compile(r"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_DURATION = re.compile(r"\d+\s*([A-Za-zµ]+)")
_UNITS = frozenset({"ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"})
_LONG_UNITS = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_COLOR = re.compile("#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_OCTET = "[0-9a-fA-F]{2}"
# net.ParseMAC: 6, 8 or 20 octets, in pairs between colons or hyphens, or in fours between points.
_MAC = re.compile(
    "|".join(rf"{_OCTET}(?:{sign}{_OCTET}){{{count - 1}}}" for sign in (":", "-") for count in (6, 8, 20))
    + "|"
    + "|".join(rf"(?:{_OCTET}){{2}}(?:\.(?:{_OCTET}){{2}}){{{count - 1}}}" for count in (3, 4, 10))
)
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _is_time(text: str) -> bool:
    date, _, time = text.lower().partition("t")
    match = _TIME.search(time)
    return bool(_is_date(date) and match and match[1] <= "23" and match[2] <= "59" and match[3] <= "59")


def _is_duration(text: str) -> bool:
    if _GO_DURATION.fullmatch(text):
        return True
    return any(unit.lower() in _UNITS or unit.lower().startswith(_LONG_UNITS) for unit in _DURATION.findall(text))


def _is_address(text: str, version: int) -> bool:
    found = values.address(text)
    return found is not None and found.version == version


def _uuid(version: str, variant: str = _HEX) -> Callable[[str], bool]:
    pattern = re.compile(_UUID % (version, variant))
    return lambda text: pattern.fullmatch(text) is not None


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "byte": lambda text: bool(text) and not values.base64_problem(text),
    "cidr": lambda text: values.cidr(text) is not None,
    "date": _is_date,
    "datetime": _is_time,
    "duration": _is_duration,
    "email": lambda text: "@" in text,
    "hexcolor": lambda text: _COLOR.fullmatch(text) is not None,
    "hostname": lambda text: not text.isascii() or (len(text) <= 255 and bool(_HOSTNAME.fullmatch(text))),
    "ipv4": lambda text: _is_address(text, 4),
    "ipv6": lambda text: _is_address(text, 6),
    "mac": lambda text: _MAC.fullmatch(text) is not None,
    "uri": lambda text: text == "*" or text.startswith("/") or bool(_SCHEME.match(text)),
    "uuid": _uuid(_HEX),
    "uuid3": _uuid("3[0-9a-f]{3}"),
    "uuid4": _uuid("4[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
    "uuid5": _uuid("5[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
}
"""Whether a text has the format, by its name without hyphens."""
