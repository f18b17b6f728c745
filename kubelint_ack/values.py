"""Plain values of manifests, understood as Kubernetes understands them: quantities, networks, versions, label
selectors, taints, ports, base64.

Pure functions that take any object and never raise: what is not of the asked form gives None, and an `Unknown`
is never called wrong. Names are in `names.py`, image references in `images.py`, schedules in `cron.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from kubelint_ack.names import label_value, qualified_name
from kubelint_ack.records import Unknown

# Imported by the functions that need them: each costs a run that never meets such a value about a millisecond.
if TYPE_CHECKING:
    from fractions import Fraction
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# --- Quantities

_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_QUANTITY = r"([+-]?)([0-9]*)(?:\.([0-9]*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?|[eE][+-]?[0-9]+)"
_NANO = 10**9
_INT64 = 2**63 - 1
# The blanks that Go's strings.TrimSpace removes and JSON writes unescaped: not the newline, which arrives as `\n`.
_BLANKS = " \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def quantity(value: object) -> int | Fraction | None:
    """The exact value of a quantity (`0.5`, `500m`, `1Gi`, `1e3`), None if it is not one.

    An int when it is whole, else a Fraction; both compare and add exactly with each other. As in the API server,
    a fraction of 10^-9 is rounded away from zero and a binary suffix caps at 2^63-1. A decimal exponent above 100
    counts as 100: the exact number would fill the memory. More than 1,000 characters are no quantity.

    The server reads a lone sign, point or suffix (`m`, `Mi`) as 0, against the grammar that it documents; here
    that is None. Restates apimachinery/pkg/api/resource/quantity.go (grammar, ParseQuantity, UnmarshalJSON).
    """
    nanos = _nanos(value)
    if nanos is None or nanos % _NANO == 0:
        return None if nanos is None else nanos // _NANO
    from fractions import Fraction

    return Fraction(nanos, _NANO)


def milli(value: object) -> int | None:
    """A quantity in thousandths, rounded up as the API server rounds what containers ask for; None if it is not one."""
    nanos = _nanos(value)
    return None if nanos is None else -(-nanos // 10**6)


def _nanos(value: object) -> int | None:
    """A quantity in units of 10^-9."""
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value * _NANO
    return _parsed(repr(value)) if isinstance(value, float) else None


@lru_cache(maxsize=1024)
def _parsed(text: str) -> int | None:
    found = re.fullmatch(_QUANTITY, text.strip(_BLANKS)) if len(text) <= 1000 else None
    if not found:
        return None
    sign, whole, fraction, suffix = found.groups(default="")
    if not whole and not fraction:
        return None
    number, exponent, shift = int(whole + fraction), -len(fraction), 0
    if suffix in _BINARY:
        shift = _BINARY[suffix]
    elif suffix in _DECIMAL:
        exponent += _DECIMAL[suffix]
    else:
        written = int(suffix[1:])
        if not -_INT64 - 1 <= written <= _INT64:
            return None
        exponent += max(-3000, min(100, written))
    numerator, divisor = number << shift, 1
    if exponent < 0:
        divisor = 10**-exponent
    else:
        numerator *= 10**exponent
    nanos = -(-numerator * _NANO // divisor)
    if shift:
        nanos = min(nanos, _INT64 * _NANO)
    return -nanos if sign == "-" else nanos


# --- Networks


def cidr(text: object) -> IPv4Network | IPv6Network | None:
    """The network of `10.0.0.0/8` or `fd00::/64`, host bits cleared; None if it is not a CIDR.

    Leading zeros are decimal, as for the API server's own (sloppy) parser.
    Restates k8s.io/utils/net/parse.go (ParseCIDRSloppy), used by apimachinery/pkg/util/validation/ip.go.
    """
    parsed = _network(text)
    return parsed[1] if parsed else None


def cidr_problem(text: object) -> str:
    """`''` if it is the CIDR of a network, `syntax`, or `host-bits` (`10.0.0.1/24`: an address with a prefix).

    The API server accepts host bits unless its gate StrictIPCIDRValidation is on
    (apimachinery/pkg/util/validation/ip.go, IsValidCIDRForLegacyField).
    """
    if isinstance(text, Unknown):
        return ""
    parsed = _network(text)
    if not parsed:
        return "syntax"
    return "" if parsed[0] == parsed[1].network_address else "host-bits"


def address(text: object) -> IPv4Address | IPv6Address | None:
    """The IP address; None if it is not one. Leading zeros are decimal, an IPv6 zone is refused.

    Restates k8s.io/utils/net/parse.go (ParseIPSloppy).
    """
    if not isinstance(text, str) or not re.fullmatch(r"[0-9a-fA-F:.]{2,64}", text):
        return None
    from ipaddress import ip_address

    try:
        return ip_address(re.sub("(?<![0-9a-fA-F])0+(?=[0-9a-fA-F])", "", text))
    except ValueError:
        return None


def address_problem(text: object) -> str:
    """`''` if traffic can be sent to the IP address; else `syntax` or its range.

    The ranges are `unspecified`, `loopback`, `link-local` and `multicast` (of the link alone). Restates
    pkg/apis/core/validation/validation.go (ValidateEndpointIP), which holds for endpoints and for a Service's
    external addresses.
    """
    if isinstance(text, Unknown):
        return ""
    found = address(text)
    if found is None:
        return "syntax"
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    if found.is_unspecified or found.is_loopback:
        return "unspecified" if found.is_unspecified else "loopback"
    if found.is_link_local:
        return "link-local"
    link_only = found.version == 4 and found.packed[:3] == bytes((224, 0, 0))
    if link_only or (found.version == 6 and found.packed[0] == 0xFF and found.packed[1] & 0x0F == 2):
        return "multicast"
    return ""


def overlap(a: object, b: object) -> bool:
    """Whether two networks (or their CIDR texts) share an address; False if either is none."""
    from ipaddress import IPv4Network, IPv6Network

    one, other = cidr(a) if isinstance(a, str) else a, cidr(b) if isinstance(b, str) else b
    if isinstance(one, IPv4Network) and isinstance(other, IPv4Network):
        return one.overlaps(other)
    return isinstance(one, IPv6Network) and isinstance(other, IPv6Network) and one.overlaps(other)


def _network(text: object) -> tuple[IPv4Address | IPv6Address, IPv4Network | IPv6Network] | None:
    if not isinstance(text, str):
        return None
    host, _, length = text.partition("/")
    parsed = address(host)
    if parsed is None or not re.fullmatch("[0-9]{1,9}", length):
        return None
    from ipaddress import ip_network

    try:
        return parsed, ip_network((parsed, int(length)), strict=False)
    except ValueError:
        return None


# --- Versions


def version(text: object) -> tuple[int, ...] | None:
    """The numbers of a version: (1, 32, 1) for `1.32.1-aliyun.1`, (2, 14, 0) for `v2.14.0`; else None.

    What follows the numbers after `-`, `+` or `_` is not read. A number is no version: YAML has lost the final
    zero of 1.30 before anybody can look.
    """
    found = re.fullmatch(r"[vV]?([0-9]{1,18}(?:\.[0-9]{1,18})*)(?:[-+_].*)?", text) if isinstance(text, str) else None
    return tuple(map(int, found[1].split("."))) if found else None


def kubernetes_minor(text: object) -> tuple[int, int] | None:
    """Major and minor of a Kubernetes version (`1.32.1-aliyun.1`, `v1.32`, `1.32+`); else None."""
    numbers = version(text)
    return (numbers[0], numbers[1]) if numbers and len(numbers) > 1 else None


def at_least(text: object, bound: str) -> bool | None:
    """Whether a version is `bound` or later, by its numbers.

    None if either is no version, or if the text is too short to say (`1.24` against `1.24.3`).
    """
    have, want = version(text), version(bound)
    if have is None or want is None:
        return None
    for mine, theirs in zip(have, want):
        if mine != theirs:
            return mine > theirs
    return None if any(want[len(have) :]) else True


# --- Label selectors


class Requirement(NamedTuple):
    """One expression of a label selector or of a node affinity term."""

    key: str
    operator: str
    """`In`, `NotIn`, `Exists`, `DoesNotExist`; for nodes `Gt` and `Lt` too."""
    values: tuple[str, ...] = ()


class Selector(NamedTuple):
    """What a label selector asks for, sorted, so that equal selectors are equal tuples."""

    match_labels: tuple[tuple[str, str], ...] = ()
    expressions: tuple[Requirement, ...] = ()
    unknown: bool = False
    """Some part was left out: known only after rendering, refused by the API server, or given by controllers."""

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing, and so selects everything."""
        return not (self.match_labels or self.expressions or self.unknown)


def selector(mapping: object) -> Selector:
    """The selector of a LabelSelector (`matchLabels`, `matchExpressions`) or of a node affinity term.

    None is read like `{}`. Whether an absent selector, or an empty node affinity term, selects all or nothing
    depends on the field: ask before. Restates apimachinery/pkg/apis/meta/v1/helpers.go (LabelSelectorAsSelector).
    """
    if mapping is None:
        return Selector()
    if not isinstance(mapping, Mapping):
        return Selector(unknown=True)
    labels, unknown = _pairs(mapping.get("matchLabels"))
    expressions = []
    written = mapping.get("matchExpressions")
    if isinstance(written, (list, tuple)):
        for item in written:
            requirement = _requirement(item)
            if requirement:
                expressions.append(requirement)
            else:
                unknown = True
    elif written is not None:
        unknown = True
    unknown = unknown or any(key not in ("matchLabels", "matchExpressions") for key in mapping)
    return Selector(labels, tuple(sorted(expressions)), unknown)


def label_map_selector(mapping: object) -> Selector:
    """The selector of a plain map of labels (`selector` of a Service, `nodeSelector`); None is read like `{}`."""
    labels, unknown = _pairs(mapping)
    return Selector(labels, (), unknown)


def matches(selector: Selector, labels: Mapping[str, object] | None) -> bool | None:
    """Whether a selector selects an object with these labels; None if an unknown part or label decides.

    An empty selector selects everything. None for labels is read like `{}`.
    Restates apimachinery/pkg/labels/selector.go (Requirement.Matches).
    """
    if labels is None:
        labels = {}
    elif not isinstance(labels, Mapping):
        return True if selector.empty else None
    certain = not selector.unknown
    for key, wanted in selector.match_labels:
        found = labels.get(key, _ABSENT)
        if found is None:
            found = ""
        if found == wanted:
            continue
        if isinstance(found, str) or (found is _ABSENT and _complete(labels)):
            return False
        certain = False
    for requirement in selector.expressions:
        holds = _holds(requirement, labels)
        if holds is False:
            return False
        certain = certain and holds is True
    return True if certain else None


def selector_text(selector: Selector) -> str:
    """The selector as kubectl writes it: `app=web,!legacy,tier in (a,b)`; `...` stands for what is unknown.

    Empty for an empty selector. Restates apimachinery/pkg/labels/selector.go (Requirement.String).
    """
    parts = [(key, f"{key}={value}") for key, value in selector.match_labels]
    for key, operator, values in selector.expressions:
        words = {
            "In": f"{key} in ({','.join(values)})",
            "NotIn": f"{key} notin ({','.join(values)})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
            "Gt": f"{key}>{','.join(values)}",
            "Lt": f"{key}<{','.join(values)}",
        }
        parts.append((key, words.get(operator, f"{key} {operator} ({','.join(values)})")))
    return ",".join([text for _, text in sorted(parts)] + ["..."] * selector.unknown)


_ABSENT = object()


# Labels that controllers give to pods: no template shows them.
# https://kubernetes.io/docs/reference/labels-annotations-taints/
_GIVEN = frozenset(
    {"statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "pod-template-hash"}
    | {"controller-revision-hash", "controller-uid", "job-name", "batch.kubernetes.io/controller-uid"}
    | {"batch.kubernetes.io/job-name", "batch.kubernetes.io/job-completion-index"}
)


def _pairs(value: object) -> tuple[tuple[tuple[str, str], ...], bool]:
    """The known pairs of a map of labels, sorted; and whether some part of it is unknown or refused."""
    if value is None:
        return (), False
    if not isinstance(value, Mapping):
        return (), True
    pairs = []
    for key, label in value.items():
        # A null decodes to the empty string; any other scalar is refused.
        label = "" if label is None else label
        if not isinstance(key, str) or not isinstance(label, str) or key in _GIVEN:
            continue
        if not (qualified_name(key) or label_value(label)):
            pairs.append((key, label))
    return tuple(sorted(pairs)), len(pairs) < len(value)


def _requirement(item: object) -> Requirement | None:
    """The expression; None if it is unknown or refused."""
    if not isinstance(item, Mapping):
        return None
    key, operator, values = item.get("key"), item.get("operator"), item.get("values")
    if not isinstance(key, str) or not isinstance(operator, str) or key in _GIVEN or qualified_name(key):
        return None
    if operator in ("Exists", "DoesNotExist"):
        return None if values else Requirement(key, operator)
    if operator not in ("In", "NotIn", "Gt", "Lt") or not isinstance(values, (list, tuple)) or not values:
        return None
    if any(isinstance(value, Unknown) or label_value(value) for value in values):
        return None
    if operator in ("Gt", "Lt") and len(values) > 1:
        return None
    return Requirement(key, operator, tuple(sorted(set(values))))


def _holds(requirement: Requirement, labels: Mapping[str, object]) -> bool | None:
    key, operator, values = requirement
    found = labels.get(key, _ABSENT)
    if found is _ABSENT:
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt") or not _complete(labels):
            return None
        return operator in ("NotIn", "DoesNotExist")
    if operator in ("Exists", "DoesNotExist"):
        return operator == "Exists"
    if found is None:
        found = ""
    if not isinstance(found, str):
        return None
    if operator in ("In", "NotIn"):
        return (found in values) == (operator == "In")
    if operator in ("Gt", "Lt"):
        # What is not an integer matches no node; the API server does not check it.
        mine, bound = _int64(found), _int64(values[0]) if len(values) == 1 else None
        if mine is None or bound is None:
            return False
        return mine > bound if operator == "Gt" else mine < bound
    return None


def _complete(labels: Mapping[str, object]) -> bool:
    """Whether all keys are known, so that one that is not there is absent."""
    for key in labels:  # noqa: SIM110 - a plain loop is twice as fast, and this runs per selector and workload
        if not isinstance(key, str):
            return False
    return True


def _int64(text: str) -> int | None:
    """The number of a label value, which has no sign (Go's strconv.ParseInt(text, 10, 64))."""
    number = int(text) if re.fullmatch("[0-9]{1,63}", text) else None
    return number if number is not None and number <= _INT64 else None


# --- Taints


def tolerates(tolerations: Sequence[Mapping[str, object]] | None, taint: Mapping[str, object]) -> bool | None:
    """Whether some toleration tolerates the taint (`key`, `value`, `effect`); None if an unknown value decides.

    The operators `Gt` and `Lt` give None: whether they count depends on a feature gate of the cluster.
    Restates k8s.io/api/core/v1/toleration.go (ToleratesTaint).
    """
    if tolerations is None:
        return False
    if not isinstance(tolerations, (list, tuple)) or not isinstance(taint, Mapping):
        return None
    answers = [_tolerates(toleration, taint) for toleration in tolerations]
    if True in answers:
        return True
    return None if None in answers else False


def _tolerates(toleration: object, taint: Mapping[str, object]) -> bool | None:
    if not isinstance(toleration, Mapping):
        return None
    effect, key, operator = toleration.get("effect"), toleration.get("key"), toleration.get("operator")
    answers: list[bool | None] = []
    if effect is not None and effect != "":
        answers.append(_same(effect, taint.get("effect")))
    if key is not None and key != "":
        answers.append(_same(key, taint.get("key")))
    if operator is None or operator in ("", "Equal"):
        answers.append(_same(toleration.get("value"), taint.get("value")))
    elif operator in ("Gt", "Lt") or not isinstance(operator, str):
        answers.append(None)
    else:
        answers.append(operator == "Exists")
    if False in answers:
        return False
    return None if None in answers else True


def _same(a: object, b: object) -> bool | None:
    """Whether two strings are equal, an absent one being empty; None if either is no string."""
    a, b = "" if a is None else a, "" if b is None else b
    return a == b if isinstance(a, str) and isinstance(b, str) else None


# --- Small scalars


def port_number(value: object) -> int | None:
    """The port 1 to 65535, of a number or of decimal digits as annotations carry them; else None.

    Restates apimachinery/pkg/util/validation/validation.go (IsValidPortNum).
    """
    if isinstance(value, str):
        value = int(value) if re.fullmatch("[0-9]{1,5}", value) else None
    elif isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 1 <= value <= 65535 else None


def base64_problem(text: object) -> str:
    """`''` if Go's encoding/json decodes the text to bytes; else `type`, `alphabet`, `url-safe` or `padding`.

    The standard alphabet with padding; line breaks are skipped wherever they stand, blanks are not. `url-safe`:
    only the other alphabet's `-` and `_` are wrong. Restates encoding/base64 (StdEncoding.DecodeString).
    A list of numbers is decoded as the bytes themselves.
    """
    if isinstance(text, list) and all(one is None or type(one) is int for one in text):
        return ""
    if not isinstance(text, str):
        return "" if isinstance(text, Unknown) else "type"
    text = text.replace("\n", "").replace("\r", "")
    if not re.fullmatch("[A-Za-z0-9+/=]*", text):
        return "url-safe" if re.fullmatch("[A-Za-z0-9+/=_-]*", text) else "alphabet"
    return "" if len(text) % 4 == 0 and re.fullmatch("[^=]*={0,2}", text) else "padding"


def is_placeholder(value: str) -> bool:
    """Whether a value is one that a reader is to fill in: `web-****`, `xxx`."""
    return any(sign in value for sign in "<>*$") or "xxx" in value.lower()


# What people and tools write in place of a value that is filled in later: names in brackets, variables, stars and
# dots, words in capitals or with `your-`, Helm's name of no release, and references that a tool resolves
# (https://github.com/helmfile/vals).
_TO_FILL_IN = re.compile(
    r"<[^<>\n]+>|\{\{|[$#]\{|\$\(|\*\*|\.\.\.|…"
    r"|^(?:\$[A-Za-z_]\w*|%\w+%|@@?\w+@@?|[xX][xX.:/0-9]*|[A-Z0-9]+(?:_[A-Z0-9]+)+)$|^(?:ref\+|ENC\[|vault:|your[-_]|RELEASE-NAME)"
)


def is_to_fill_in(text: str) -> bool:
    """Whether a text stands in place of one that is filled in before the manifest is used."""
    return _TO_FILL_IN.search(text) is not None


def nearest(word: str, candidates: Iterable[str], cutoff: float = 0.75) -> str | None:
    """The candidate most like the word, at least `cutoff` alike (0 to 1, difflib's ratio); else None."""
    if not isinstance(word, str) or len(word) > 256:
        return None
    from difflib import get_close_matches

    found = get_close_matches(word, list(candidates), 1, min(1.0, max(0.0, cutoff)))
    return found[0] if found else None
