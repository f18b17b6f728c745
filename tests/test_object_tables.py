"""The table of what the API server asks of single fields (`constraints/objects.json`): each mistake is one finding."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubelint_ack import catalog
from tests.harness import lint, write

GONE = object()
"""In place of a value: the field is left out."""


def _object(api_version: str, kind: str, name: str = "web", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **fields}


_RULE = {"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}
_METRIC = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
_ADMISSION = "admissionregistration.k8s.io/v1"

RIGHT: dict[str, dict[str, Any]] = {
    "service": _object(
        "v1",
        "Service",
        spec={
            "type": "LoadBalancer",
            "selector": {"app": "web"},
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"}],
            "ipFamilies": ["IPv4"],
        },
    ),
    "endpoints": _object("v1", "Endpoints", subsets=[{"addresses": [{"ip": "10.0.0.10"}], "ports": [{"port": 80}]}]),
    "slice": _object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        addressType="IPv4",
        endpoints=[{"addresses": ["10.0.0.10"], "hostname": "web-0"}],
        ports=[{"name": "http", "port": 80, "protocol": "TCP"}],
    ),
    "ingress": _object(
        "networking.k8s.io/v1",
        "Ingress",
        spec={
            "ingressClassName": "nginx",
            "tls": [{"secretName": "web", "hosts": ["shop.example.com"]}],
            "rules": [
                {
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "web", "port": {"number": 80}}},
                            }
                        ]
                    }
                }
            ],
        },
    ),
    "class": _object("networking.k8s.io/v1", "IngressClass", spec={"controller": "example.com/controller"}),
    "policy": _object(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec={
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": 80, "protocol": "TCP"}], "from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
        },
    ),
    "hpa": _object(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 10,
            "metrics": [_METRIC],
            "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}},
        },
    ),
    "hpa1": _object(
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 10,
            "targetCPUUtilizationPercentage": 80,
        },
    ),
    "pdb": _object(
        "policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    ),
    "binding": _object(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "web"},
        subjects=[{"kind": "ServiceAccount", "name": "web"}],
    ),
    "role": _object(
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
    ),
    "config": _object("v1", "ConfigMap", data={"a": "b"}),
    "secret": _object("v1", "Secret", stringData={"a": "b"}),
    "quota": _object(
        "v1",
        "ResourceQuota",
        spec={
            "hard": {"pods": "10"},
            "scopes": ["NotTerminating"],
            "scopeSelector": {"matchExpressions": [{"scopeName": "NotBestEffort", "operator": "Exists"}]},
        },
    ),
    "limits": _object("v1", "LimitRange", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}}]}),
    "node": _object(
        "v1", "Node", spec={"taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}]}
    ),
    "volume": _object(
        "v1",
        "PersistentVolume",
        spec={
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteOnce"],
            "csi": {"driver": "csi.example.com", "volumeHandle": "v"},
            "persistentVolumeReclaimPolicy": "Retain",
        },
    ),
    "claim": _object(
        "v1",
        "PersistentVolumeClaim",
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}},
    ),
    "storage": _object(
        "storage.k8s.io/v1",
        "StorageClass",
        provisioner="csi.example.com",
        reclaimPolicy="Delete",
        volumeBindingMode="WaitForFirstConsumer",
    ),
    "attributes": _object(
        "storage.k8s.io/v1", "VolumeAttributesClass", driverName="csi.example.com", parameters={"a": "b"}
    ),
    "driver": _object(
        "storage.k8s.io/v1",
        "CSIDriver",
        spec={"fsGroupPolicy": "File", "volumeLifecycleModes": ["Persistent"], "tokenRequests": [{"audience": "a"}]},
    ),
    "priority": _object("scheduling.k8s.io/v1", "PriorityClass", value=10),
    "runtime": _object("node.k8s.io/v1", "RuntimeClass", handler="runc"),
    "webhook": _object(
        _ADMISSION,
        "MutatingWebhookConfiguration",
        webhooks=[
            {
                "name": "pods.hooks.example.com",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 5,
                "clientConfig": {"service": {"name": "hooks", "namespace": "shop", "port": 443}},
                "rules": [_RULE],
            }
        ],
    ),
    "vap": _object(
        _ADMISSION,
        "ValidatingAdmissionPolicy",
        spec={
            "matchConstraints": {"resourceRules": [_RULE]},
            "validations": [{"expression": "true", "reason": "Invalid"}],
        },
    ),
    "vapb": _object(
        _ADMISSION,
        "ValidatingAdmissionPolicyBinding",
        spec={
            "policyName": "web",
            "validationActions": ["Deny"],
            "paramRef": {"name": "limits", "parameterNotFoundAction": "Deny"},
        },
    ),
}

_PATH = "spec.rules.0.http.paths.0"

# The object, the field, its value, and the rule that reports it.
WRONG: list[tuple[str, str, Any, str]] = [
    ("service", "spec.type", "Loadbalancer", "invalid-enum"),
    ("service", "spec.sessionAffinity", "ClientIp", "invalid-enum"),
    ("service", "spec.externalTrafficPolicy", "local", "invalid-enum"),
    ("service", "spec.internalTrafficPolicy", "local", "invalid-enum"),
    ("service", "spec.ipFamilies.0", "ipv4", "invalid-enum"),
    ("service", "spec.ipFamilyPolicy", "DualStack", "invalid-enum"),
    ("service", "spec.ports.0.port", 70000, "value-out-of-range"),
    ("service", "spec.ports.0.port", GONE, "missing-field"),
    ("service", "spec.ports.0.targetPort", 70000, "value-out-of-range"),
    ("service", "spec.ports.0.targetPort", "http_port", "invalid-format"),
    ("service", "spec.ports.0.protocol", "tcp", "invalid-enum"),
    ("service", "spec.ports.0.name", "HTTP", "invalid-format"),
    ("service", "spec.ports.0.appProtocol", "HTTP/2", "invalid-format"),
    ("endpoints", "subsets.0.addresses.0.ip", GONE, "missing-field"),
    ("endpoints", "subsets.0.ports.0.port", 0, "value-out-of-range"),
    ("slice", "addressType", "IP", "invalid-enum"),
    ("slice", "addressType", GONE, "missing-field"),
    ("slice", "endpoints.0.addresses", [], "missing-field"),
    ("slice", "endpoints.0.hostname", "web.0", "invalid-format"),
    ("ingress", "spec.ingressClassName", "Nginx", "invalid-format"),
    ("ingress", "spec.tls.0.secretName", "web_tls", "invalid-format"),
    ("ingress", "spec.rules.0.http.paths", [], "missing-field"),
    ("ingress", f"{_PATH}.pathType", GONE, "missing-field"),
    ("ingress", f"{_PATH}.pathType", "prefix", "invalid-enum"),
    ("ingress", f"{_PATH}.backend", GONE, "missing-field"),
    ("ingress", f"{_PATH}.backend.service.name", GONE, "missing-field"),
    ("ingress", f"{_PATH}.backend.service.port.number", 70000, "value-out-of-range"),
    ("class", "spec.controller", "nginx", "invalid-format"),
    ("class", "spec.controller", "example.com/" + "a" * 250, "value-out-of-range"),
    ("class", "spec.controller", GONE, "missing-field"),
    ("policy", "spec.policyTypes.0", "ingress", "invalid-enum"),
    ("policy", "spec.ingress.0.ports.0.protocol", "tcp", "invalid-enum"),
    ("policy", "spec.ingress.0.ports.0.port", "80", "invalid-format"),
    ("policy", "spec.ingress.0.ports.0.port", 0, "value-out-of-range"),
    ("policy", "spec.ingress.0.from.0.ipBlock.cidr", GONE, "missing-field"),
    ("hpa", "spec.scaleTargetRef", GONE, "missing-field"),
    ("hpa", "spec.scaleTargetRef.name", GONE, "missing-field"),
    ("hpa", "spec.maxReplicas", GONE, "missing-field"),
    ("hpa", "spec.maxReplicas", 0, "value-out-of-range"),
    ("hpa", "spec.minReplicas", -1, "value-out-of-range"),
    ("hpa", "spec.metrics.0.type", "resource", "invalid-enum"),
    ("hpa", "spec.metrics.0.resource.name", GONE, "missing-field"),
    ("hpa", "spec.metrics.0.resource.target.type", GONE, "missing-field"),
    ("hpa", "spec.behavior.scaleDown.stabilizationWindowSeconds", 7200, "value-out-of-range"),
    ("hpa", "spec.behavior.scaleDown.selectPolicy", "Off", "invalid-enum"),
    ("hpa", "spec.behavior.scaleDown.policies.0.periodSeconds", 3600, "value-out-of-range"),
    ("hpa", "spec.behavior.scaleDown.policies.0.value", 0, "value-out-of-range"),
    ("hpa1", "spec.targetCPUUtilizationPercentage", 0, "value-out-of-range"),
    ("pdb", "spec.maxUnavailable", 1, "exclusive-fields"),
    ("pdb", "spec.unhealthyPodEvictionPolicy", "Always", "invalid-enum"),
    ("binding", "roleRef", GONE, "missing-field"),
    ("binding", "roleRef.name", "a/b", "invalid-format"),
    ("binding", "subjects.0.name", GONE, "missing-field"),
    ("role", "aggregationRule.clusterRoleSelectors", [], "missing-field"),
    ("config", "data.a/b", "c", "invalid-format"),
    ("config", "binaryData.c", "hello world", "invalid-format"),
    ("secret", "stringData.a b", "c", "invalid-format"),
    ("quota", "spec.scopes.0", "notTerminating", "invalid-enum"),
    ("quota", "spec.scopeSelector.matchExpressions.0.scopeName", "Guaranteed", "invalid-enum"),
    ("limits", "spec.limits.0.type", GONE, "missing-field"),
    ("node", "spec.taints.1.effect", "NoSchedule", "duplicate-item"),
    ("node", "spec.taints.1.effect", "NoExec", "invalid-enum"),
    ("volume", "spec.accessModes", GONE, "missing-field"),
    ("volume", "spec.accessModes.0", "RWO", "invalid-enum"),
    ("volume", "spec.persistentVolumeReclaimPolicy", "retain", "invalid-enum"),
    ("volume", "spec.volumeMode", "block", "invalid-enum"),
    ("volume", "spec.csi", GONE, "missing-field"),
    ("volume", "spec.nfs", {"server": "10.0.0.10", "path": "/"}, "exclusive-fields"),
    ("volume", "spec.csi.volumeHandle", GONE, "missing-field"),
    ("claim", "spec.accessModes", GONE, "missing-field"),
    ("claim", "spec.accessModes.0", "ReadWriteAll", "invalid-enum"),
    ("claim", "spec.volumeMode", "Raw", "invalid-enum"),
    ("claim", "spec.storageClassName", "Fast_Disk", "invalid-format"),
    ("claim", "spec.dataSource", {"kind": "PersistentVolumeClaim"}, "missing-field"),
    ("storage", "provisioner", GONE, "missing-field"),
    ("storage", "provisioner", "csi example", "invalid-format"),
    ("storage", "reclaimPolicy", "Recycle", "invalid-enum"),
    ("storage", "volumeBindingMode", "Delayed", "invalid-enum"),
    ("attributes", "driverName", GONE, "missing-field"),
    ("driver", "spec.fsGroupPolicy", "Files", "invalid-enum"),
    ("driver", "spec.volumeLifecycleModes.0", "Inline", "invalid-enum"),
    ("driver", "spec.tokenRequests.0.expirationSeconds", 60, "value-out-of-range"),
    ("priority", "preemptionPolicy", "Always", "invalid-enum"),
    ("runtime", "handler", "runc.v2", "invalid-format"),
    ("runtime", "handler", GONE, "missing-field"),
    ("webhook", "webhooks.0.name", "pods", "invalid-format"),
    ("webhook", "webhooks.0.sideEffects", GONE, "missing-field"),
    ("webhook", "webhooks.0.sideEffects", "Some", "invalid-enum"),
    ("webhook", "webhooks.0.admissionReviewVersions", GONE, "missing-field"),
    ("webhook", "webhooks.0.timeoutSeconds", 60, "value-out-of-range"),
    ("webhook", "webhooks.0.failurePolicy", "Abort", "invalid-enum"),
    ("webhook", "webhooks.0.reinvocationPolicy", "Always", "invalid-enum"),
    ("webhook", "webhooks.0.clientConfig", {"caBundle": ""}, "missing-field"),
    ("webhook", "webhooks.0.clientConfig.url", "https://hooks.example.com", "exclusive-fields"),
    ("webhook", "webhooks.0.clientConfig.service.namespace", GONE, "missing-field"),
    ("webhook", "webhooks.0.clientConfig.service.port", 0, "value-out-of-range"),
    ("webhook", "webhooks.0.rules.0.operations.0", "create", "invalid-enum"),
    ("webhook", "webhooks.0.rules.0.resources", [], "missing-field"),
    ("webhook", "webhooks.0.rules.0.scope", "Namespace", "invalid-enum"),
    ("vap", "spec.matchConstraints", GONE, "missing-field"),
    ("vap", "spec.validations.0.expression", "", "missing-field"),
    ("vap", "spec.validations.0.reason", "Denied", "invalid-enum"),
    ("vapb", "spec.policyName", GONE, "missing-field"),
    ("vapb", "spec.validationActions", [], "missing-field"),
    ("vapb", "spec.validationActions.0", "Refuse", "invalid-enum"),
    ("vapb", "spec.paramRef.parameterNotFoundAction", GONE, "missing-field"),
    ("vapb", "spec.paramRef.name", GONE, "missing-field"),
]


def changed(one: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    """A copy of an object with one field changed."""
    result = copy.deepcopy(one)
    *parents, last = field.split(".")
    node: Any = result
    for step in parents:
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
    if value is GONE:
        del node[last]
    elif isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value
    return result


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str]]]:
    """Errors by file: the objects as they should be, and each with its mistake, in folders of their own."""
    folder = tmp_path_factory.mktemp("objects")
    objects = {f"right/{name}": one for name, one in RIGHT.items()}
    objects |= {f"wrong/{n}": changed(RIGHT[name], field, value) for n, (name, field, value, _) in enumerate(WRONG)}
    write(folder, {f"{name}/manifest.json": json.dumps(one, indent=1) for name, one in objects.items()})
    default = {rule.name for rule in catalog.rules().values() if "default" in rule.presets}
    result: dict[str, list[tuple[str, str]]] = {name: [] for name in objects}
    for one in lint(folder).findings:
        if one.rule in default and one.severity == "error":
            result[one.path.removesuffix("/manifest.json")].append((one.rule, one.place.field))
    return result


@pytest.mark.parametrize("name", RIGHT)
def test_what_the_server_accepts_is_no_error(name: str, found: dict[str, list[tuple[str, str]]]) -> None:
    assert found[f"right/{name}"] == []


@pytest.mark.parametrize(
    ("number", "name", "field", "rule"),
    [(n, name, field, rule) for n, (name, field, _, rule) in enumerate(WRONG)],
    ids=[f"{n}-{name}-{field}" for n, (name, field, _, _) in enumerate(WRONG)],
)
def test_each_mistake_is_one_finding(
    number: int, name: str, field: str, rule: str, found: dict[str, list[tuple[str, str]]]
) -> None:
    """One finding, of the rule, at the field, in it, or where a group lacks one: at the map that should hold it."""
    hits = found[f"wrong/{number}"]
    assert [one[0] for one in hits] == [rule]
    place = hits[0][1].replace("[", ".").replace("]", "").replace('"', "")
    assert field == place or field.startswith(f"{place}.") or place.startswith(f"{field}.")


def _routes(node: Any, at: str = "") -> Iterator[str]:
    """Every field and item below a node."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield f"{at}{key}"
        yield from _routes(value, f"{at}{key}.")


@pytest.mark.parametrize("value", [None, [None], [["a"]], {"a": None}, {"b": [1]}, "${X}"], ids=repr)
def test_no_value_in_any_field_crashes_a_rule(value: Any, tmp_path: Path) -> None:
    objects = [changed(one, field, value) for one in RIGHT.values() for field in _routes(one) if "." in field]
    write(tmp_path, {"all.yaml": "\n---\n".join(map(json.dumps, objects))})
    assert [one.values for one in lint(tmp_path).findings if one.rule == "rule-crash"] == []
