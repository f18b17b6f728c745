"""What a YAML scalar means to Kubernetes, and which scalars nobody can know before a template is rendered.

`kubectl` and the other clients read YAML with sigs.k8s.io/yaml: go-yaml 2, then a trip through JSON. Neither YAML 1.1
nor 1.2 describes the result: `y` is true, `0o14` and `014` are 12, `08` is 8, `1.0` is 1, dates are text. The rules are
those of https://github.com/yaml/go-yaml/blob/v2.4.0/resolve.go and, for keys, of
https://github.com/kubernetes-sigs/yaml/blob/master/yaml.go; the cases in the tests were compared with kubectl 1.37.
"""

from __future__ import annotations

import math
import re
import struct

from kubelint_ack.records import Route

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {"": None}
for _value, _words in (
    (None, ("~", "null", "Null", "NULL")),
    (True, ("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE")),
    (False, ("n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE")),
    (math.nan, (".nan", ".NaN", ".NAN")),
    (math.inf, (".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF")),
    (-math.inf, ("-.inf", "-.Inf", "-.INF")),
):
    _WORDS.update(dict.fromkeys(_words, _value))

# As strconv.ParseInt reads it with base 0, underscores taken out before; a sign may also follow `0b`.
_INTEGER = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))|(?:0b([-+][01]+))",
)
_BASES = (0, 0, 16, 8, 2, 10, 2)
"""The base of each group of `_INTEGER`."""
_LONGEST_DECIMAL = 20
"""Digits of the largest unsigned 64-bit integer; Python refuses to convert very long ones."""
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# A number that starts with its point goes to strconv.ParseFloat as it is: underscores between digits only.
_POINT_FLOAT = r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?"
_TIMESTAMP = r"(?a)\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:(?<!\s)(?:Z|[-+]\d\d:\d\d))?)?"
_LARGEST_INT64 = 2**63 - 1

_TAG = "tag:yaml.org,2002:"


def resolve(text: str) -> Scalar:
    """The JSON value of a plain scalar. Infinities and NaN, which kubectl refuses as values, come back as floats."""
    return _json(_read(text))


def resolve_key(text: str) -> str:
    """The JSON key of a plain scalar: `true` for `y`, `12` for `014`.

    Raises ValueError, with words for people, where kubectl refuses the key.
    """
    return _key(_read(text))


def resolve_tagged(tag: str, text: str, *, as_key: bool = False) -> Scalar:
    """The JSON value (or key) of a scalar with an explicit tag.

    Raises KeyError for a tag that YAML does not define, and ValueError, with words for people, for a value that kubectl
    refuses.
    """
    if tag in ("!", f"{_TAG}str"):
        return text
    name = tag[len(_TAG) :] if tag.startswith(_TAG) else ""
    if name == "binary":
        return _binary(text)
    types = _TYPES[name]
    value = _read(text)
    if name == "timestamp":
        fits = re.fullmatch(_TIMESTAMP, text) is not None
    else:
        fits = isinstance(value, types) and (name == "bool" or not isinstance(value, bool))
    if not fits:
        raise ValueError(f"the value cannot be read as !!{name}")
    return _key(value) if as_key else _json(value)


_TYPES: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "timestamp": (str,),
}


def is_collection_tag(tag: str) -> bool:
    """Whether a mapping or list with this tag is read as if it had none."""
    return tag == "!" or tag.startswith(_TAG)


_MAY_BE_UNKNOWN = re.compile("\\{[{%]|\\$\\{|<|__|ENC\\[|\ufdd0|[\ue000-\ue3ff][\ue400-\ue7ff]")
_ACTION = r"\{[{%]"
_PLACEHOLDER = r"(?s)<[^<>\n]+>|__[A-Z0-9]+(?:_[A-Z0-9]+)*__|ENC\[AES256_GCM,.*\]"
_VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]*(?:[:?=+#%/-][^}\n]*)?\}"
_LONGEST_WITH_VARIABLE = 200
_PROGRAMS = frozenset({"data", "stringData", "binaryData", "command", "args"})
"""Fields that hold a program's own text: its configuration files and the shell commands that start it."""


def has_unknown_marks(text: str) -> bool:
    """Whether a file's text may hold a scalar that `may_be_unknown` finds, marked pairs of escapes excepted."""
    # Python looks for one character many times faster than for two.
    return (
        "<" in text
        or ("$" in text and "${" in text)
        or ("{" in text and ("{{" in text or "{%" in text))
        or ("_" in text and "__" in text)
        or ("[" in text and "ENC[" in text)
    )


def may_be_unknown(text: str) -> bool:
    """A quick test that is true of every text that is unknown, and of few others."""
    return _MAY_BE_UNKNOWN.search(text) is not None


def is_unknown_text(text: str, style: str | None, route: Route) -> bool:
    """Whether a scalar is filled in before it reaches a cluster, so that nobody can know it from the file.

    - `{{ … }}` and `{% … %}` (Go templates, Jinja), except where a program has templates of its own: in alerting rules,
      and in text of several lines below `data`, `stringData`, `command` or `args`;
    - the whole scalar `<NAME>` or `__NAME__`, and what SOPS has encrypted (`ENC[AES256_GCM,…]`);
    - `${NAME}` and `${NAME:-default}` (envsubst, Flux) in a short scalar on one line that is no block scalar and not
      below those fields: there it is rather the shell's or the program's own.

    `$(NAME)` is Kubernetes' own syntax. `style` is the event's: `|`, `>`, a quote, or empty for a plain scalar.
    """
    is_own = not _PROGRAMS.isdisjoint(route)
    if re.search(_ACTION, text):
        return not (is_own and "\n" in text.strip()) and not ("groups" in route and "rules" in route)
    if style in ("|", ">"):
        return text.startswith("ENC[AES256_GCM,")
    if re.fullmatch(_PLACEHOLDER, text):
        return True
    return (
        len(text) <= _LONGEST_WITH_VARIABLE
        and "\n" not in text
        and not is_own
        and re.search(_VARIABLE, text) is not None
    )


def _read(text: str) -> Scalar:
    """The value that go-yaml makes of a plain scalar; an integer may need 64 bits without a sign."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first not in "+-.0123456789" or (first == "." and not re.fullmatch(_POINT_FLOAT, text)):
        return text
    plain = text.replace("_", "")
    match = _INTEGER.fullmatch(plain)
    if match:
        group = match.lastindex or 0
        if group != 5 or len(match[5]) <= _LONGEST_DECIMAL:
            value = int(match[group], _BASES[group])
            if match[1] == "-":
                value = -value
            if abs(value) <= _LARGEST_INT64 or value == -_LARGEST_INT64 - 1 or (not match[1] and 0 < value < 2**64):
                return value
    if _FLOAT.fullmatch(plain):
        number = float(plain)
        return text if math.isinf(number) else number
    return text


def _json(value: Scalar) -> Scalar:
    """The value after Go has written it as JSON and Kubernetes has read it: floats become integers where they can."""
    if isinstance(value, int) and value > _LARGEST_INT64:
        value = float(value)
    if not isinstance(value, float) or not value.is_integer() or abs(value) >= 1e21:
        return value
    # Go writes the shortest digits that give the number back, then zeros; so does `repr`, with an exponent from 1e16.
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return int(value)
    digits = mantissa.replace(".", "")
    integer = int(digits) * 10 ** (int(exponent) + 1 - len(digits.lstrip("-")))
    return integer if abs(integer) <= _LARGEST_INT64 else value


def _key(value: Scalar) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _short_float(value)
    if value is None:
        raise ValueError("a null cannot be a key")
    if value > _LARGEST_INT64:
        raise ValueError(f"the key {value} does not fit into 64 bits")
    return str(value)


def _short_float(number: float) -> str:
    """As Go's `strconv.FormatFloat(number, 'g', -1, 32)`, with YAML's words for infinities and NaN."""
    if math.isnan(number):
        return ".nan"
    single = _single(number)
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    digits = next(digits for digits in range(9) if _single(float(f"{single:.{digits}e}")) == single)
    text = f"{single:.{digits}e}"
    power = int(text.partition("e")[2])
    return f"{single:.{max(digits - power, 0)}f}" if -4 <= power < 6 else text


def _single(number: float) -> float:
    """The number rounded to 32 bits."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def _binary(text: str) -> str:
    import base64

    try:
        data = base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except ValueError:
        raise ValueError("the !!binary value is not base64") from None
    return data.decode("utf-8", "replace")
