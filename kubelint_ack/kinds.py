"""What is known of kinds: which have no namespace, which make pods, and what every cluster has from the start."""

from __future__ import annotations

from fnmatch import fnmatchcase

WORKLOAD = "*workload*"
"""In the place of a kind: anything that makes pods."""

# Kinds that belong to no namespace.
CLUSTER_SCOPED = frozenset(
    {
        "Namespace", "Node", "PersistentVolume", "StorageClass", "ClusterRole", "ClusterRoleBinding", "IngressClass",
        "PriorityClass", "RuntimeClass", "CustomResourceDefinition", "APIService", "CSIDriver", "CSINode",
        "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "VolumeSnapshotClass", "GatewayClass",
        "VolumeAttributesClass", "VolumeSnapshotContent", "VolumeAttachment", "CertificateSigningRequest",
        "PodSecurityPolicy", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "AlbConfig",
    }
)  # fmt: skip

# Groups of the Kubernetes API itself end in k8s.io, have no dot, or are these.
_POD_FREE_GROUPS = frozenset(
    {
        "cert-manager.io", "acme.cert-manager.io", "networking.istio.io", "security.istio.io", "telemetry.istio.io",
        "gateway.networking.k8s.io", "bitnami.com", "external-secrets.io", "traefik.io", "traefik.containo.us",
        "networking.alibabacloud.com", "alibabacloud.com", "log.alibabacloud.com", "network.alibabacloud.com",
        "cilium.io", "crd.projectcalico.org", "projectcalico.org", "kyverno.io", "constraints.gatekeeper.sh",
        "templates.gatekeeper.sh", "config.gatekeeper.sh", "keda.sh", "snapshot.storage.k8s.io", "metallb.io",
        "autoscaling.alibabacloud.com", "split.smi-spec.io", "specs.smi-spec.io", "access.smi-spec.io",
        "linkerd.io", "policy.linkerd.io", "configuration.konghq.com", "projectcontour.io",
    }
)  # fmt: skip
_POD_FREE_KINDS = frozenset(
    {
        ("monitoring.coreos.com", "ServiceMonitor"), ("monitoring.coreos.com", "PodMonitor"),
        ("monitoring.coreos.com", "PrometheusRule"), ("monitoring.coreos.com", "Probe"),
        ("monitoring.coreos.com", "AlertmanagerConfig"),
    }
)  # fmt: skip

# Objects that every cluster or namespace has: (kind, namespace pattern, name pattern).
# https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
_BUILT_IN = (
    ("ServiceAccount", "*", "default"),
    ("ConfigMap", "*", "kube-root-ca.crt"),
    ("ConfigMap", "kube-system", "extension-apiserver-authentication"),
    ("ConfigMap", "kube-public", "cluster-info"),
    ("Service", "default", "kubernetes"),
    ("Service", "kube-system", "kube-dns"),
    ("Role", "kube-system", "extension-apiserver-authentication-reader"),
    ("Role", "*", "system:*"),
    ("ClusterRole", "*", "system:*"),
    ("ClusterRole", "*", "cluster-admin"),
    ("ClusterRole", "*", "admin"),
    ("ClusterRole", "*", "edit"),
    ("ClusterRole", "*", "view"),
    ("PriorityClass", "*", "system-*"),
    ("Namespace", "*", "default"),
    ("Namespace", "*", "kube-*"),
)


# Groups that every API server serves by itself. https://kubernetes.io/docs/reference/kubernetes-api/
KUBERNETES_GROUPS = frozenset(
    {
        "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling",
        "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "extensions",
        "flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io",
        "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
    }
)  # fmt: skip

# Kinds that references name without a group, and the group that they mean.
_HOMES = dict.fromkeys(("Service", "ConfigMap", "Secret", "ServiceAccount", "Pod", "Event", "Node", "Namespace"), "")
_HOMES["Gateway"] = "gateway.networking.k8s.io"
_HOMES["Ingress"] = "networking.k8s.io"


def known_as(family: tuple[str, str]) -> str:
    """What an object is looked up as: its kind, with its group where that is another than references mean."""
    group, kind = family
    return kind if _HOMES.get(kind, group) == group else f"{kind}.{group}"


WORKLOAD_KINDS = frozenset(
    {"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"}
)


def may_make_objects(family: tuple[str, str]) -> bool:
    """Whether a kind is a custom resource whose controller may make pods, Services, ConfigMaps …

    Kinds of the Kubernetes API and those known to make none are excluded; of any other nobody can know.
    """
    group = family[0]
    if "." not in group or group.endswith(".k8s.io"):
        return False
    return group not in _POD_FREE_GROUPS and family not in _POD_FREE_KINDS


# Workloads of these groups leave the labels of their pod templates as they are, apart from hashes.
_PLAIN_WORKLOAD_GROUPS = frozenset({"apps.kruise.io", "argoproj.io", "apps.openshift.io"})


def adds_labels(family: tuple[str, str]) -> bool:
    """Whether the controller of a workload kind gives pods labels that selectors ask for, or pods of its own."""
    return may_make_objects(family) and family[0] not in _PLAIN_WORKLOAD_GROUPS


def is_built_in(kind: str, name: str, namespace: str | None) -> bool:
    """Whether every cluster has the object; None for the namespace: it is left to the render."""
    return any(
        kind == known_kind
        and (known_namespace == "*" or namespace in (None, known_namespace))
        and fnmatchcase(name, known_name)
        for known_kind, known_namespace, known_name in _BUILT_IN
    )


def may_be_built_in(group: str) -> bool:
    """Whether a group may be one of the Kubernetes API; any other is of custom resources."""
    return "." not in group or group.endswith(".k8s.io")
