"""ConfigMaps, Secrets, ResourceQuotas and LimitRanges.

Restates pkg/apis/core/validation/validation.go (ValidateSecret, ValidateConfigMap, ValidateResourceQuotaSpec,
ValidateLimitRange) and pkg/apis/core/helper/helpers.go (the names of resources). No value of a Secret leaves here.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.names import qualified_name
from kubelint_ack.records import Hit, Related, Unknown
from kubelint_ack.values import base64_problem, is_to_fill_in, quantity
from kubelint_ack.views import View, mapping, sequence, text

# --- Data

_LARGEST = 1 << 20
"""Bytes of all values together (MaxSecretSize)."""


def size(view: View) -> Iterator[Hit]:
    """Values that are too large together; keys do not count."""
    total, largest, most = 0, ("data", ""), -1
    for field, encoded in (("data", view.kind == "Secret"), ("binaryData", True), ("stringData", False)):
        for key, value in mapping(view.data.get(field)).items():
            if not isinstance(value, str):
                continue
            length = _decoded_length(value) if encoded else _length(value)
            total += length
            if length > most:
                largest, most = (field, key), length
    if total > _LARGEST:
        yield Hit(view.at(*largest).key, kind=view.kind, size=total, limit=_LARGEST)


def _length(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))


def _decoded_length(value: str) -> int:
    if len(value) < _LARGEST // 64:
        return len(value) * 3 // 4
    digits = len(value) - value.count("\n") - value.count("\r") - value[-4:].count("=")
    return digits * 3 // 4


def twice(config: View) -> Iterator[Hit]:
    """Keys of a ConfigMap in both of its maps."""
    data = mapping(config.data.get("data"))
    for key in mapping(config.data.get("binaryData")):
        if key in data:
            related = (Related(config.at("data", key).key, note="data"),)
            yield Hit(config.at("binaryData", key).key, related=related, key=key)


# The keys that a type asks for; of a tuple, one is enough.
_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "kubernetes.io/dockercfg": ((".dockercfg",),),
    "kubernetes.io/dockerconfigjson": ((".dockerconfigjson",),),
    "kubernetes.io/basic-auth": (("username", "password"),),
    "kubernetes.io/ssh-auth": (("ssh-privatekey",),),
    "kubernetes.io/tls": (("tls.crt",), ("tls.key",)),
}
_ACCOUNT = "kubernetes.io/service-account.name"


def typed_secret(secret: View) -> Iterator[Hit]:
    """What the type of a Secret asks for and the Secret does not have."""
    kind = text(secret.data.get("type"))
    at = secret.at("type")
    if kind == "kubernetes.io/service-account-token":
        if not secret.annotations.get(_ACCOUNT) and not isinstance(secret.metadata.get("annotations"), Unknown):
            yield Hit(at, message="account", type=kind, key=_ACCOUNT, depends=(secret.at("metadata", "annotations"),))
        return
    wanted = _KEYS.get(kind or "")
    maps = [secret.data.get(field) for field in ("data", "stringData")]
    if not wanted or any(isinstance(one, Unknown) for one in maps):
        return
    data = {**mapping(maps[0]), **mapping(maps[1])}
    if any(not isinstance(key, str) for key in data):
        return
    depends = (secret.at("data"), secret.at("stringData"))
    lacking = [keys for keys in wanted if not any(key in data for key in keys)]
    if lacking:
        message = "one-of" if len(lacking[0]) > 1 else ("keys" if len(lacking) > 1 else "key")
        keys = lacking[0] if message == "one-of" else [one[0] for one in lacking]
        yield Hit(at, message=message, type=kind, keys=list(keys), depends=depends)
        return
    key = wanted[0][0]
    field = "stringData" if key in mapping(maps[1]) else "data"
    value = data.get(key)
    if kind == "kubernetes.io/ssh-auth" and value in (None, ""):
        yield Hit(secret.at(field, key).key, message="empty", key=key, type=kind)
    elif key.startswith(".docker") and not _is_object(value, encoded=field == "data"):
        yield Hit(secret.at(field, key).key, message="json", key=key, type=kind)


def _is_object(value: Any, encoded: bool) -> bool:
    """Whether a value is, or may be, the text of a JSON object."""
    value = "" if value is None else value
    if not isinstance(value, str) or is_to_fill_in(value):
        return True
    if encoded:
        # What is not base64 is reported as such.
        if base64_problem(value):
            return True
        import base64

        try:
            value = base64.b64decode(value).decode("utf-8", "replace")
        except Base64Error:
            return True
    if is_to_fill_in(value):
        return True
    try:
        found = json.loads(value)
    except RecursionError:
        return True
    except ValueError:
        return False
    # Go decodes a null into any map.
    return found is None or isinstance(found, dict)


# --- Quotas

_COMPUTE = frozenset(
    f"{prefix}{name}" for name in ("cpu", "memory", "ephemeral-storage") for prefix in ("", "requests.", "limits.")
)
_COUNTED = frozenset(
    (
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    )
)
_QUOTA = _COMPUTE | _COUNTED | {"requests.storage"}
# Resources that Kubernetes counts only as `count/<resource>.<group>`.
_COUNT_GROUPS = {
    "deployments": "apps",
    "statefulsets": "apps",
    "daemonsets": "apps",
    "replicasets": "apps",
    "jobs": "batch",
    "cronjobs": "batch",
    "ingresses": "networking.k8s.io",
    "horizontalpodautoscalers": "autoscaling",
}


def _is_quota_name(name: str) -> bool:
    return name in _QUOTA or name.startswith(("hugepages-", "requests.hugepages-"))


def quota_resources(quota: View) -> Iterator[Hit]:
    """Names that a quota cannot limit, and limits that are negative or count in fractions."""
    for name, value in mapping(quota.spec.get("hard")).items():
        if not isinstance(name, str) or is_to_fill_in(name):
            continue
        at = quota.at("spec", "hard", name)
        if qualified_name(name) or ("/" not in name and not _is_quota_name(name)):
            group = _COUNT_GROUPS.get(name)
            yield Hit(at.key, message="count" if group else "name", name=name, count=f"count/{name}.{group}")
            continue
        number = quantity(value)
        if number is None:
            continue
        if number < 0:
            yield Hit(at, message="negative", name=name, value=value)
        elif not isinstance(number, int) and (name in _COUNTED or _is_extended(name)):
            yield Hit(at, message="fraction", name=name, value=value)


def _is_extended(name: str) -> bool:
    """Whether the server takes it for an extended resource, as it does `count/…` too."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


_POD_RESOURCES = frozenset(("pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"))
_SCOPES: Mapping[str, frozenset[str]] = {
    "Terminating": _POD_RESOURCES,
    "NotTerminating": _POD_RESOURCES,
    "BestEffort": frozenset(("pods",)),
    "NotBestEffort": _POD_RESOURCES,
    "PriorityClass": _POD_RESOURCES,
    "CrossNamespacePodAffinity": _POD_RESOURCES,
    "VolumeAttributesClass": frozenset(("persistentvolumeclaims", "requests.storage")),
}
"""What a quota with a scope may limit, of the names without a slash."""


def quota_scopes(quota: View) -> Iterator[Hit]:
    """Scopes that do not go together, or not with what the quota limits."""
    hard = [name for name in mapping(quota.spec.get("hard")) if isinstance(name, str) and _is_quota_name(name)]
    selector = sequence(mapping(quota.spec.get("scopeSelector")).get("matchExpressions"))
    found = [(quota.at("spec", "scopes", index), one) for index, one in enumerate(sequence(quota.spec.get("scopes")))]
    found += [
        (quota.at("spec", "scopeSelector", "matchExpressions", index, "scopeName"), mapping(one).get("scopeName"))
        for index, one in enumerate(selector)
    ]
    seen: set[str] = set()
    told: set[str] = set()
    for at, scope in found:
        if not isinstance(scope, str) or scope not in _SCOPES:
            continue
        opposite = scope.removeprefix("Not") if scope.startswith("Not") else f"Not{scope}"
        wrong = next((name for name in hard if name not in _SCOPES[scope]), None)
        if opposite in seen:
            yield Hit(at, message="conflict", scope=scope, other=opposite)
        elif wrong and wrong not in told:
            told.add(wrong)
            yield Hit(quota.at("spec", "hard", wrong).key, message="resource", depends=(at,), scope=scope, name=wrong)
        seen.add(scope)
    for index, one in enumerate(selector):
        route = ("spec", "scopeSelector", "matchExpressions", index)
        scope, operator, values = (mapping(one).get(key) for key in ("scopeName", "operator", "values"))
        if not isinstance(scope, str) or isinstance(values, Unknown) or not isinstance(operator, str):
            continue
        at = quota.at(*route, "operator")
        if scope in _SCOPES and scope not in ("PriorityClass", "VolumeAttributesClass") and operator != "Exists":
            yield Hit(at, message="operator", scope=scope, operator=operator)
        elif operator in ("In", "NotIn") and not values:
            yield Hit(quota.at(*route, "values"), message="no-values", operator=operator, depends=(at,))
        elif operator in ("Exists", "DoesNotExist") and values:
            yield Hit(quota.at(*route, "values"), message="values", operator=operator, depends=(at,))


# --- Limit ranges

# What must not be greater than what.
_ORDER = (
    ("min", "max"),
    ("min", "defaultRequest"),
    ("defaultRequest", "max"),
    ("defaultRequest", "default"),
    ("min", "default"),
    ("default", "max"),
)


def limits(ranges: View) -> Iterator[Hit]:
    """Limits that exclude each other, or that their type cannot have."""
    kinds: set[object] = set()
    for index, limit in enumerate(sequence(ranges.spec.get("limits"))):
        if not isinstance(limit, dict):
            continue
        at, kind = ranges.at("spec", "limits", index, "type"), limit.get("type")
        if isinstance(kind, str) and kind and not is_to_fill_in(kind):
            if kind in kinds:
                yield Hit(at, message="type-twice", type=kind)
            elif kind not in ("Pod", "Container", "PersistentVolumeClaim") and (
                "/" not in kind or qualified_name(kind)
            ):
                yield Hit(at, message="type", type=kind)
            kinds.add(kind)
        if kind == "Pod":
            for field in ("default", "defaultRequest"):
                if limit.get(field):
                    yield Hit(ranges.at("spec", "limits", index, field), message="pod", field=field, depends=(at,))
        elif kind == "PersistentVolumeClaim":
            held = [mapping(limit.get(field)) for field in ("min", "max")]
            unknown = any(isinstance(limit.get(field), Unknown) for field in ("min", "max"))
            if not unknown and not any("storage" in one for one in held):
                yield Hit(ranges.at("spec", "limits", index), message="claim", depends=(at,))
        if kind in ("Pod", "Container"):
            yield from _limit_names(ranges, index, limit)
        for name in dict.fromkeys(name for field in _LIMITS for name in mapping(limit.get(field))):
            yield from _order(ranges, index, limit, name)


_LIMITS = ("min", "max", "default", "defaultRequest")


def _limit_names(ranges: View, index: int, limit: Mapping[str, Any]) -> Iterator[Hit]:
    """What no pod can ask for (validateContainerResourceName)."""
    for field in (*_LIMITS, "maxLimitRequestRatio"):
        for name in mapping(limit.get(field)):
            known = name in ("cpu", "memory", "ephemeral-storage") or not isinstance(name, str)
            if not known and "/" not in name and not name.startswith("hugepages-") and not is_to_fill_in(name):
                at = ranges.at("spec", "limits", index, field, name).key
                yield Hit(at, message="resource", name=name, depends=(ranges.at("spec", "limits", index, "type"),))


def _order(ranges: View, index: int, limit: Mapping[str, Any], name: str) -> Iterator[Hit]:
    for low, high in _ORDER:
        written = mapping(limit.get(low)).get(name), mapping(limit.get(high)).get(name)
        small, large = quantity(written[0]), quantity(written[1])
        if small is not None and large is not None and small > large:
            yield Hit(
                ranges.at("spec", "limits", index, low, name),
                related=(Related(ranges.at("spec", "limits", index, high, name), note="other"),),
                name=name,
                low=low,
                high=high,
                value=written[0],
                other=written[1],
            )
            return
    ratio = quantity(mapping(limit.get("maxLimitRequestRatio")).get(name))
    least, most = (quantity(mapping(limit.get(field)).get(name)) for field in ("min", "max"))
    if ratio is None:
        return
    at = ranges.at("spec", "limits", index, "maxLimitRequestRatio", name)
    if ratio < 1:
        yield Hit(at, message="ratio-below-one", name=name)
    elif least and most and ratio * least > most:
        depends = (ranges.at("spec", "limits", index, "min"), ranges.at("spec", "limits", index, "max"))
        yield Hit(at, message="ratio", name=name, depends=depends)
