"""The grammars of names: objects, labels, annotations, ports, environment variables, keys of a ConfigMap.

Each check takes any object and gives `''` when the API server accepts it as such a name, else a reason code:

`type` not a string · `empty` · `length` · `case` right but for upper-case letters · `characters` · `edge` starts,
ends or has a part that starts or ends with a wrong character · `start` starts with a digit · `dots` a label
with dots · `prefix` the part before the slash · `slash` more than one · `letter` no letter · `hyphens` two in
a row · `dot-name` is `.` or starts with `..` · `parts` fewer than three · `backsteps`,
`absolute`, `relative` of paths

Where several apply, the first that the order of the checks meets. An `Unknown` gives `''`. Unless said otherwise
they restate apimachinery/pkg/util/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, wraps

from kubelint_ack.records import Unknown

_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_QUALIFIED = "(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"


def _grammar(check: Callable[[str], str]) -> Callable[[object], str]:
    """Lets a check take any object, and remember: a render repeats the same few names."""
    remembered = lru_cache(maxsize=8192)(check)

    @wraps(check)
    def checked(text: object) -> str:
        if isinstance(text, str):
            return remembered(text)
        return "" if isinstance(text, Unknown) else "type"

    return checked


@_grammar
def dns1123_label(text: str) -> str:
    """A namespace, container or StatefulSet name: at most 63 of `a-z0-9-` (IsDNS1123Label)."""
    if len(text) <= 63 and re.fullmatch(_LABEL, text):
        return ""
    if len(text) <= 253 and "." in text and re.fullmatch(_SUBDOMAIN, text):
        return "dots"
    return _reason(text, 63, "[-a-z0-9]*", _LABEL)


@_grammar
def dns1123_subdomain(text: str) -> str:
    """The name of most objects: at most 253 of `a-z0-9-.` (IsDNS1123Subdomain)."""
    if len(text) <= 253 and re.fullmatch(_SUBDOMAIN, text):
        return ""
    return _reason(text, 253, "[-a-z0-9.]*", _SUBDOMAIN)


@_grammar
def dns1035_label(text: str) -> str:
    """A Service name before Kubernetes 1.36: a label that starts with a letter (IsDNS1035Label)."""
    problem = dns1123_label(text)
    return problem or ("start" if text[0].isdigit() else "")


@_grammar
def qualified_name(text: str) -> str:
    """A label key or finalizer: `[prefix/]name` (IsQualifiedName). The codes speak of the name part."""
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return "slash"
    if slash and dns1123_subdomain(prefix):
        return "prefix"
    if len(name) <= 63 and re.fullmatch(_QUALIFIED, name):
        return ""
    return _reason(name, 63, "[-A-Za-z0-9_.]*", _QUALIFIED)


@_grammar
def annotation_key(text: str) -> str:
    """An annotation key: a qualified name, whose prefix may have upper-case letters.

    Restates apimachinery/pkg/api/validation/objectmeta.go (ValidateAnnotations).
    """
    return qualified_name(text.lower())


@_grammar
def label_value(text: str) -> str:
    """A label value: empty, or at most 63 of `A-Za-z0-9-_.` (IsValidLabelValue)."""
    if not text or (len(text) <= 63 and re.fullmatch(_QUALIFIED, text)):
        return ""
    return _reason(text, 63, "[-A-Za-z0-9_.]*", _QUALIFIED)


@_grammar
def port_name(text: str) -> str:
    """The name of a port (IANA_SVC_NAME): at most 15 of `a-z0-9-`, with a letter (IsValidPortName)."""
    problem = _reason(text, 15, "[-a-z0-9]*", "[a-z0-9]|[a-z0-9].*[a-z0-9]")
    if problem:
        return problem
    if not re.search("[a-z]", text):
        return "letter"
    return "hyphens" if "--" in text else ""


@_grammar
def env_name(text: str) -> str:
    """An environment variable's name since Kubernetes 1.32: printable ASCII without `=` (IsRelaxedEnvVarName)."""
    if not text:
        return "empty"
    return "" if re.fullmatch("[ -<>-~]+", text) else "characters"


@_grammar
def strict_env_name(text: str) -> str:
    """An environment variable's name before Kubernetes 1.32: `A-Za-z0-9-_.`, no digit first (IsEnvVarName)."""
    problem = _reason(text, None, "[-._a-zA-Z0-9]*")
    if problem:
        return problem
    return "start" if text[0].isdigit() else _dot_name(text)


@_grammar
def config_key(text: str) -> str:
    """A key in the data of a ConfigMap or Secret: at most 253 of `A-Za-z0-9-_.` (IsConfigMapKey)."""
    return _reason(text, 253, "[-._a-zA-Z0-9]*") or _dot_name(text)


@_grammar
def fully_qualified_name(text: str) -> str:
    """The name of a webhook: a DNS name of at least three parts (IsFullyQualifiedName)."""
    return dns1123_subdomain(text) or ("parts" if text.count(".") < 2 else "")


@_grammar
def domain_prefixed_path(text: str) -> str:
    """The controller of an IngressClass: a DNS name, a slash, and what a URL's path may have (IsDomainPrefixedPath)."""
    if not text:
        return "empty"
    domain, _, path = text.partition("/")
    if not domain or not path or dns1123_subdomain(domain):
        return "prefix"
    return "" if re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", path) else "characters"


@_grammar
def path_segment(text: str) -> str:
    """A name that is a part of a URL's path: roles, metrics (apimachinery/pkg/api/validation/path/name.go)."""
    if text in (".", ".."):
        return "dot-name"
    return "characters" if "/" in text or "%" in text else ""


@_grammar
def http_header_name(text: str) -> str:
    """The name of a header that a probe sends: letters, digits and `-` (IsHTTPHeaderName)."""
    return _reason(text, None, "[-A-Za-z0-9]*")


@_grammar
def sysctl_name(text: str) -> str:
    """A kernel parameter, `net.core.somaxconn` (pkg/apis/core/validation/validation.go, IsValidSysctlName)."""
    part = "[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?"
    return _reason(text, 253, "[-_a-z0-9./]*", rf"(?:{part}[./])*{part}")


@_grammar
def csi_driver_name(text: str) -> str:
    """The name of a CSI driver: a DNS name of at most 63 characters, upper case allowed (ValidateCSIDriverName)."""
    return "length" if len(text) > 63 else dns1123_subdomain(text.lower())


@_grammar
def iscsi_name(text: str) -> str:
    """The qualified name of an iSCSI target (pkg/apis/core/validation/validation.go, validateISCSIVolumeSource)."""
    grammar = r"iqn\.\d{4}-\d{2}\.[A-Za-z0-9.\-]+(?::[^,;*&$|\s]+)?|eui\.[A-Za-z0-9]{16}|naa\.[A-Za-z0-9]{32}"
    return "" if re.fullmatch(grammar, text) else "characters"


# --- Paths (pkg/apis/core/validation/validation.go, ValidatePathNoBacksteps and its callers)


@_grammar
def path_without_backsteps(text: str) -> str:
    """A path none of whose parts is `..`."""
    return "backsteps" if ".." in text.split("/") else ""


@_grammar
def absolute_path(text: str) -> str:
    """A path from the root."""
    return "" if text.startswith("/") else "relative"


@_grammar
def descending_path(text: str) -> str:
    """A relative path none of whose parts is `..` (ValidateLocalDescendingPath)."""
    return "absolute" if text.startswith("/") else path_without_backsteps(text)


@_grammar
def file_path(text: str) -> str:
    """The path of a file in a volume: descending, and not beginning with two dots (ValidateLocalNonReservedPath)."""
    return descending_path(text) or ("dot-name" if text.startswith("..") else "")


def service_dns(text: object, domain: str = "cluster.local") -> tuple[str, str | None] | None:
    """The Service (name, and namespace where written) that a host name may stand for inside the cluster.

    Of `web`, `web.shop`, `web.shop.svc`, `web.shop.svc.cluster.local`, also with a final dot and with the name of
    a pod before it (`db-0.db.shop.svc`). `web.shop` may as well be a host of the internet: ask whether the
    Service exists. `domain` is the cluster's. None for all else.
    See https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/.
    """
    if not isinstance(text, str) or len(text) > 254:
        return None
    host = text.lower().removesuffix(".")
    if host.endswith(f".svc.{domain}"):
        host = host.removesuffix(f".{domain}")
    parts = host.split(".")
    if any(dns1123_label(part) for part in parts) or "".join(parts).isdigit():
        return None
    if len(parts) == 1:
        return parts[0], None
    if len(parts) == 2:
        return parts[0], parts[1]
    if parts[-1] == "svc" and len(parts) <= 4:
        return parts[-3], parts[-2]
    return None


def _reason(text: str, limit: int | None, characters: str, grammar: str = ".*") -> str:
    if not text:
        return "empty"
    if limit is not None and len(text) > limit:
        return "length"
    if re.fullmatch(characters, text):
        return "" if re.fullmatch(grammar, text) else "edge"
    lower = text.lower()
    return "case" if re.fullmatch(characters, lower) and re.fullmatch(grammar, lower) else "characters"


def _dot_name(text: str) -> str:
    return "dot-name" if text == "." or text.startswith("..") else ""
