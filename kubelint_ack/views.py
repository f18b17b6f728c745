"""Read-only lenses over a resource: what rules and facts read instead of raw mappings.

API versions and defaults are normalised here, once. An accessor gives None (or nothing to iterate) where the
field is absent, has the wrong type or is unknown before rendering; `has` tells whether the key is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from kubelint_ack.records import FieldPath, ResourceId, Route, Severity, Step
from kubelint_ack.resource import Resource

Role = Literal["init", "sidecar", "main", "ephemeral"]

# Where the pod templates of a workload lie, by (group, kind); `*` is any item of a list and any key of a mapping.
# A Pod is its own template.
POD_ROUTES: dict[tuple[str, str], tuple[Route, ...]] = {
    ("", "Pod"): ((),),
    ("", "PodTemplate"): (("template",),),
    ("", "ReplicationController"): (("spec", "template"),),
    ("apps", "Deployment"): (("spec", "template"),),
    ("apps", "ReplicaSet"): (("spec", "template"),),
    ("apps", "StatefulSet"): (("spec", "template"),),
    ("apps", "DaemonSet"): (("spec", "template"),),
    ("batch", "Job"): (("spec", "template"),),
    ("batch", "CronJob"): (("spec", "jobTemplate", "spec", "template"),),
    **{
        (group, kind): tuple(tuple(route.split(".")) for route in routes.split())
        for group, kind, routes in (
            # https://openkruise.io/docs/user-manuals/cloneset and the pages of its other kinds
            ("apps.kruise.io", "CloneSet", "spec.template"),
            ("apps.kruise.io", "StatefulSet", "spec.template"),
            ("apps.kruise.io", "DaemonSet", "spec.template"),
            ("apps.kruise.io", "BroadcastJob", "spec.template"),
            (
                "apps.kruise.io",
                "AdvancedCronJob",
                "spec.template.jobTemplate.spec.template spec.template.broadcastJobTemplate.spec.template",
            ),
            (
                "apps.kruise.io",
                "UnitedDeployment",
                " ".join(
                    f"spec.template.{kind}Template.spec.template"
                    for kind in ("statefulSet", "advancedStatefulSet", "cloneSet", "deployment")
                ),
            ),
            # https://openkruise.io/kruisegame/user-manuals/crd-field-description
            ("game.kruise.io", "GameServerSet", "spec.gameServerTemplate"),
            # https://argo-rollouts.readthedocs.io/en/stable/features/specification/
            ("argoproj.io", "Rollout", "spec.template"),
            ("apps.openshift.io", "DeploymentConfig", "spec.template"),
            # https://knative.dev/docs/serving/reference/serving-api/
            ("serving.knative.dev", "Service", "spec.template"),
            ("serving.knative.dev", "Configuration", "spec.template"),
            # https://volcano.sh/en/docs/vcjob/
            ("batch.volcano.sh", "Job", "spec.tasks.*.template"),
            ("batch.volcano.sh", "CronJob", "spec.jobTemplate.spec.tasks.*.template"),
            # https://www.kubeflow.org/docs/components/trainer/legacy-v1/
            ("kubeflow.org", "TFJob", "spec.tfReplicaSpecs.*.template"),
            ("kubeflow.org", "PyTorchJob", "spec.pytorchReplicaSpecs.*.template"),
            ("kubeflow.org", "MPIJob", "spec.mpiReplicaSpecs.*.template"),
            ("kubeflow.org", "XGBoostJob", "spec.xgbReplicaSpecs.*.template"),
            ("kubeflow.org", "PaddleJob", "spec.paddleReplicaSpecs.*.template"),
            ("kubeflow.org", "JAXJob", "spec.jaxReplicaSpecs.*.template"),
            # https://docs.ray.io/en/latest/cluster/kubernetes/user-guides/config.html
            ("ray.io", "RayCluster", "spec.headGroupSpec.template spec.workerGroupSpecs.*.template"),
            (
                "ray.io",
                "RayJob",
                "spec.rayClusterSpec.headGroupSpec.template spec.rayClusterSpec.workerGroupSpecs.*.template",
            ),
            (
                "ray.io",
                "RayService",
                "spec.rayClusterConfig.headGroupSpec.template spec.rayClusterConfig.workerGroupSpecs.*.template",
            ),
            # https://lws.sigs.k8s.io/docs/reference/leaderworkerset.v1/
            (
                "leaderworkerset.x-k8s.io",
                "LeaderWorkerSet",
                "spec.leaderWorkerTemplate.leaderTemplate spec.leaderWorkerTemplate.workerTemplate",
            ),
            # https://jobset.sigs.k8s.io/docs/reference/jobset.v1alpha2/
            ("jobset.x-k8s.io", "JobSet", "spec.replicatedJobs.*.template.spec.template"),
            # https://keda.sh/docs/latest/reference/scaledjob-spec/
            ("keda.sh", "ScaledJob", "spec.jobTargetRef.template"),
        )
    },
}

# Kinds whose pods the API server checks with the object: of all others it refuses only the pods. A StatefulSet is
# one of them since 1.34 (pkg/apis/apps/validation/validation.go, ValidatePodTemplateSpecForStatefulSet).
_CHECKED_WITH_PODS = frozenset(
    {
        ("", "Pod"),
        ("", "PodTemplate"),
        ("", "ReplicationController"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "DaemonSet"),
        ("batch", "Job"),
        ("batch", "CronJob"),
    }
)
_STATEFUL_SET_CHECKED_SINCE = (1, 34)


def pod_templates(
    resource: Resource, pod_routes: Mapping[tuple[str, str], tuple[Route, ...]] = POD_ROUTES
) -> list[Route]:
    """The routes of a resource's pod templates that are written; where a kind has a single place, that in any case."""
    patterns = pod_routes.get(resource.family, ())
    if len(patterns) == 1 and "*" not in patterns[0]:
        return [patterns[0]]
    found: list[Route] = []
    for pattern in patterns:
        nodes: list[tuple[Route, Any]] = [((), resource.data)]
        for step in pattern:
            nodes = [child for route, node in nodes for child in _children(route, node, step)]
        found += [route for route, node in nodes if isinstance(node, dict)]
    return found


def _children(route: Route, node: Any, step: Step) -> Iterator[tuple[Route, Any]]:
    if isinstance(node, dict):
        for key in node if step == "*" else (step,):
            yield (*route, key), node.get(key)
    elif isinstance(node, list) and step == "*":
        for index, item in enumerate(node):
            yield (*route, index), item


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> Sequence[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def text(value: Any) -> str | None:
    """The value if it is a string."""
    return value if isinstance(value, str) else None


def integer(value: Any) -> int | None:
    """The value if it is an integer (an integral float counts, as for the API server; a boolean does not)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


class View:
    """Any resource."""

    # Plain attributes, since every check reads some of them.
    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.data = data = resource.data
        self.id: ResourceId = resource.id
        """Which object it is."""
        self.kind: str = resource.id.kind
        """The kind as written."""
        self.family: tuple[str, str] = resource.family
        """(group, kind) with today's group."""
        self.metadata: Mapping[str, Any] = mapping(data.get("metadata"))
        """`metadata`."""
        self.spec: Mapping[str, Any] = mapping(data.get("spec"))
        """`spec`."""
        self.labels: Mapping[str, Any] = mapping(self.metadata.get("labels"))
        """`metadata.labels`; values may be unknown."""
        self.annotations: Mapping[str, Any] = mapping(self.metadata.get("annotations"))
        """`metadata.annotations`; values may be unknown or, wrongly, no strings."""

    @property
    def name(self) -> str | None:
        """`metadata.name`, None if absent, generated or unknown."""
        return self.id.name

    @property
    def namespace(self) -> str | None:
        """`metadata.namespace`; None: that of the render."""
        return self.id.namespace

    def annotation(self, key: str) -> str | None:
        """The string value of an annotation."""
        return text(self.annotations.get(key))

    def get(self, *route: Step) -> Any:
        """The node at a route; None if absent."""
        node: Any = self.data
        for step in route:
            if isinstance(node, dict):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
                node = node[step]
            else:
                return None
        return node

    def has(self, *route: Step) -> bool:
        """Whether the last key of the route is written, whatever its value."""
        parent = self.get(*route[:-1])
        return isinstance(parent, dict) and route[-1] in parent

    def at(self, *route: Step) -> FieldPath:
        """The field path with this route."""
        return FieldPath(route)

    @cached_property
    def is_alibaba(self) -> bool:
        """Whether the object is plainly meant for Alibaba Cloud: by its API group, annotations, driver or images."""
        group = self.id.group
        if group.endswith((".alibabacloud.com", ".aliyun.com", ".alibabacloud.io")) or group == "alibabacloud.com":
            return True
        if any(_is_alibaba_key(key) for key in self.annotations) or any(_is_alibaba_key(key) for key in self.labels):
            return True
        names = (
            self.data.get("provisioner"),
            self.data.get("driver"),
            self.get("spec", "csi", "driver"),
            self.get("spec", "flexVolume", "driver"),
            self.get("spec", "controller"),
            self.get("spec", "ingressClassName"),
            self.get("spec", "loadBalancerClass"),
            self.get("spec", "storageClassName"),
        )
        return any(isinstance(name, str) and _is_alibaba_name(name) for name in names)


def _is_alibaba_key(key: str) -> bool:
    return "alibabacloud" in key or "alibaba-cloud" in key or "alicloud" in key or "k8s.aliyun.com" in key


def _is_alibaba_name(name: str) -> bool:
    return "alibabacloud" in name or "alicloud" in name or name.endswith(".csi.aliyun.com")


class Container:
    """A container of a pod template, of any role."""

    def __init__(self, data: Mapping[str, Any], route: Route, role: Role) -> None:
        self.data = data
        self.route = route
        self.role = role
        self.security: Mapping[str, Any] = mapping(data.get("securityContext"))
        """`securityContext`."""
        self.resources: Mapping[str, Any] = mapping(data.get("resources"))
        """`resources`."""

    @property
    def name(self) -> str | None:
        """`name`."""
        return text(self.data.get("name"))

    @property
    def label(self) -> str:
        """How messages call it: its name, or where it has none that is known, `containers[0]`."""
        return self.name or f"{self.route[-2]}[{self.route[-1]}]"

    @property
    def image(self) -> str | None:
        """`image`."""
        return text(self.data.get("image"))

    def items(self, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Index and mapping of each item of a list field (`ports`, `env`, `volumeMounts` …)."""
        for index, item in enumerate(sequence(self.data.get(key))):
            if isinstance(item, dict):
                yield index, item

    def at(self, *route: Step) -> FieldPath:
        """The field path of a field of this container."""
        return FieldPath(self.route + route)


class Workload(View):
    """Whatever has a pod template; the pod's own fields are below `pod` (a Pod is its own template)."""

    def __init__(self, resource: Resource, route: Route, *, further: bool = False) -> None:
        super().__init__(resource)
        self.pod_route = route
        self.further = further
        """Whether this is the second or a later pod template of its resource."""
        self.template: Mapping[str, Any] = mapping(self.get(*route))
        """The pod template (for a Pod: the object)."""
        self.pod_spec: Mapping[str, Any] = mapping(self.template.get("spec"))
        """The pod's `spec`."""
        metadata = mapping(self.template.get("metadata"))
        self.pod_labels: Mapping[str, Any] = mapping(metadata.get("labels"))
        """Labels of the pods."""
        self.pod_annotations: Mapping[str, Any] = mapping(metadata.get("annotations"))
        """Annotations of the pods."""
        self.pod_security: Mapping[str, Any] = mapping(self.pod_spec.get("securityContext"))
        """The pod's `securityContext`."""
        self.is_windows: bool = (
            mapping(self.pod_spec.get("os")).get("name") == "windows"
            or mapping(self.pod_spec.get("nodeSelector")).get("kubernetes.io/os") == "windows"
        )
        """Whether the pod says that it runs on Windows nodes."""
        self.containers: tuple[Container, ...] = self._containers()
        """All containers: init (with `restartPolicy: Always`: sidecar), main, ephemeral."""

    @property
    def is_live_pod(self) -> bool:
        """Whether this is a Pod that was taken from a cluster: it has a status, or a controller that owns it."""
        return self.family == ("", "Pod") and bool(self.data.get("status") or self.metadata.get("ownerReferences"))

    def refused(self, version: tuple[int, int] | None) -> Severity | None:
        """The severity of what the API server refuses in a pod: None, the rule's own, where it refuses this object.

        A warning where it accepts the object and then refuses each of its pods: that of a StatefulSet before
        Kubernetes 1.34, or of a custom resource, whose controller or a webhook may yet mend them.
        """
        if self.family in _CHECKED_WITH_PODS:
            return None
        if self.family == ("apps", "StatefulSet") and version is not None and version >= _STATEFUL_SET_CHECKED_SINCE:
            return None
        return "warning"

    def pod_at(self, *route: Step) -> FieldPath:
        """The field path of a field of the pod template: `pod_at("spec", "hostNetwork")`."""
        return FieldPath(self.pod_route + route)

    def _containers(self) -> tuple[Container, ...]:
        found = []
        for key in ("initContainers", "containers", "ephemeralContainers"):
            for index, item in enumerate(sequence(self.pod_spec.get(key))):
                if isinstance(item, dict):
                    role: Role = "main"
                    if key == "initContainers":
                        role = "sidecar" if item.get("restartPolicy") == "Always" else "init"
                    elif key == "ephemeralContainers":
                        role = "ephemeral"
                    found.append(Container(item, (*self.pod_route, "spec", key, index), role))
        return tuple(found)

    def volumes(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Index and mapping of each volume."""
        for index, item in enumerate(sequence(self.pod_spec.get("volumes"))):
            if isinstance(item, dict):
                yield index, item

    @cached_property
    def is_alibaba(self) -> bool:
        """As for any resource, and by keys of the pod template and images of Alibaba Cloud's registries."""
        if any(_is_alibaba_key(key) for key in self.pod_annotations):
            return True
        if any(_is_alibaba_key(key) for key in mapping(self.pod_spec.get("nodeSelector"))):
            return True
        for _, volume in self.volumes():
            driver = mapping(volume.get("csi") or volume.get("flexVolume")).get("driver")
            if isinstance(driver, str) and _is_alibaba_name(driver):
                return True
        return super().is_alibaba


class Service(View):
    """A Service of the core API."""

    @property
    def type(self) -> str | None:
        """`spec.type`, by default ClusterIP; None if unknown."""
        if not self.has("spec", "type"):
            return "ClusterIP"
        return text(self.spec.get("type"))

    @property
    def is_headless(self) -> bool:
        """`clusterIP: None`."""
        return self.spec.get("clusterIP") == "None" and self.type != "ExternalName"

    @property
    def selector(self) -> Mapping[str, Any]:
        """`spec.selector`; values may be unknown."""
        return mapping(self.spec.get("selector"))

    def ports(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Index and mapping of each port."""
        for index, item in enumerate(sequence(self.spec.get("ports"))):
            if isinstance(item, dict):
                yield index, item

    @property
    def load_balancer(self) -> Literal["clb", "nlb"] | None:
        """Which load balancer Alibaba Cloud's controller makes for it; None: none, not known, or another cloud's.

        A CLB where no class is set, an NLB for its class; nothing where an annotation hands the Service to another
        controller (kubernetes/cloud-provider-alibaba-cloud, pkg/controller/helper/service_utils.go).
        """
        if self.type != "LoadBalancer":
            return None
        if "loadBalancerClass" in self.spec:
            return "nlb" if self.spec["loadBalancerClass"] == NLB_CLASS else None
        if self.annotations.get("service.beta.kubernetes.io/class") or any(
            prefix + "tunnel-type" in self.annotations for prefix in LB_PREFIXES
        ):
            return None
        if not self.is_alibaba:
            # The status of a CLB holds a host name only where an annotation states one.
            named = any(mapping(one).get("hostname") for one in sequence(self.get("status", "loadBalancer", "ingress")))
            if named or any(key.startswith(_OTHER_CLOUDS) for key in self.annotations):
                return None
        return "clb"

    def lb_annotation(self, suffix: str) -> tuple[str, str] | None:
        """(key, value) of a load balancer annotation under either of the prefixes that the cloud controller reads.

        The newer prefix wins when present, even if empty; an empty value counts as not set
        (kubernetes/cloud-provider-alibaba-cloud, pkg/controller/service/reconcile/annotation/annotations.go).
        """
        for prefix in LB_PREFIXES:
            value = self.annotations.get(prefix + suffix)
            if value is not None:
                found = text(value)
                return (prefix + suffix, found) if found else None
        return None


LB_PREFIXES = (
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-",
    "service.beta.kubernetes.io/alicloud-loadbalancer-",
)


NLB_CLASS = "alibabacloud.com/nlb"

# Beginnings of annotations by which other clouds' and other controllers' load balancers are set up.
_OTHER_CLOUDS = (
    "service.beta.kubernetes.io/aws-",
    "service.beta.kubernetes.io/azure-",
    "service.beta.kubernetes.io/cce-",
    "service.beta.kubernetes.io/do-",
    "service.beta.kubernetes.io/exoscale-",
    "service.beta.kubernetes.io/linode-",
    "service.beta.kubernetes.io/oci-",
    "service.beta.kubernetes.io/openstack-",
    "service.beta.kubernetes.io/ovh-",
    "service.beta.kubernetes.io/scw-",
    "service.beta.kubernetes.io/upcloud-",
    "service.beta.kubernetes.io/volcengine-",
    "service.beta.kubernetes.io/vultr-",
    "service.kubernetes.io/ibm-",
    "service.kubernetes.io/qcloud-",
    "service.kubernetes.io/tke-",
    "service.cloud.tencent.com/",
    "cloud.google.com/",
    "networking.gke.io/",
    "kubernetes.io/elb.",
    "load-balancer.hetzner.cloud/",
    "loadbalancer.openstack.org/",
    "oci.oraclecloud.com/",
    "oci-network-load-balancer.oraclecloud.com/",
    "metallb.io/",
    "metallb.universe.tf/",
    "kube-vip.io/",
    "lb.kubesphere.io/",
)


def views(resource: Resource, pod_routes: Mapping[tuple[str, str], tuple[Route, ...]] = POD_ROUTES) -> Sequence[View]:
    """The lenses for a resource: a Service, one for each pod template of a workload, or the plain one."""
    if resource.family in pod_routes:
        routes = pod_templates(resource, pod_routes)
        if routes:
            return [Workload(resource, route, further=index > 0) for index, route in enumerate(routes)]
    if resource.family == ("", "Service"):
        return (Service(resource),)
    return (View(resource),)


def view(resource: Resource, pod_routes: Mapping[tuple[str, str], tuple[Route, ...]] = POD_ROUTES) -> View:
    """The first lens for a resource."""
    return views(resource, pod_routes)[0]
