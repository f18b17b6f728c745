"""Which controller reads an Ingress, and what an ALB makes of it.

Decided once, for all checks. Where it cannot be known the answer is None, and what only one controller does is not
judged. The prefix `alb.ingress.kubernetes.io/` and the class name `alb` are also those of the AWS Load Balancer
Controller, and the class name `nginx` is also that of F5's NGINX Ingress Controller.
"""

# As in records.py, annotations are not postponed.

from typing import Any, Literal, NamedTuple

from kubelint_ack.facts import AlbConfigFact, IngressClassFact, IngressFact, IngressTls
from kubelint_ack.paths import ListenPort, listen_ports
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project

Controller = Literal["nginx", "alb", "mse", "higress", "other"]
"""mse: the gateways of MSE and APIG (cloud-native API gateway), which are built on Higress."""


class Reading(NamedTuple):
    """Who reads an Ingress."""

    controller: Controller | None = None
    """None: cannot be known."""
    certain: bool = False
    """Known by its IngressClass, in the input or declared; else only by names and annotations."""
    ingress_class: IngressClassFact | None = None
    """Its class, where that is in the input."""


ALB_CONTROLLER = "ingress.k8s.alibabacloud/alb"
ALB = "alb.ingress.kubernetes.io/"
NGINX = "nginx.ingress.kubernetes.io/"
MSE = "mse.ingress.kubernetes.io/"
HIGRESS = "higress.io/"

AWS_ANNOTATIONS = {
    "scheme": "spec.config.addressType",
    "subnets": "spec.config.zoneMappings",
    "security-groups": "spec.config.securityGroupIds",
    "load-balancer-name": "spec.config.name",
    "ip-address-type": "spec.config.addressIpVersion",
    "tags": "spec.config.tags",
    "wafv2-acl-arn": "spec.config.edition",
    "wafv2-acl-name": "spec.config.edition",
    "waf-acl-id": "spec.config.edition",
    "certificate-arn": "spec.listeners[].certificates",
    "ssl-policy": "spec.listeners[].securityPolicyId",
    "inbound-cidrs": "spec.listeners[].aclConfig",
    "security-group-prefix-lists": "spec.listeners[].aclConfig",
    "mutual-authentication": "spec.listeners[].caEnabled",
    "group.order": ALB + "order",
    "success-codes": ALB + "healthcheck-httpcode",
    "healthcheck-port": ALB + "healthcheck-connect-port",
    "load-balancer-attributes": "",
    "target-group-attributes": "",
    "listener-attributes": "",
    "group.name": "",
    "target-type": "",
    "target-node-labels": "",
    "backend-protocol-version": "",
    "manage-backend-security-group-rules": "",
    "customer-owned-ipv4-pool": "",
    "shield-advanced-protection": "",
    "auth-type": "",
    "auth-idp-cognito": "",
    "auth-idp-oidc": "",
    "auth-on-unauthenticated-request": "",
    "auth-scope": "",
    "auth-session-cookie": "",
    "auth-session-timeout": "",
}
"""Annotations that only the AWS Load Balancer Controller reads, and what says the same to Alibaba Cloud's: a field of
the AlbConfig or an annotation; empty: nothing.
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/"""

# Annotations under the common prefix that only Alibaba Cloud's controller reads
# (alibaba/alibaba-load-balancer-controller, pkg/controller/ingress/reconcile/annotations/annotations.go).
_ALIBABA_ANNOTATIONS = (
    "address-type", "vswitch-ids", "charge-type", "address-allocated-mode", "edition", "albconfig.name",
    "albconfig.order", "order", "canary", "use-regex", "rewrite-target", "sticky-session", "sticky-session-type",
    "cookie-timeout", "backend-scheduler", "backend-keepalive", "traffic-limit-qps", "traffic-limit-ip-qps",
    "enable-cors", "healthcheck-enabled", "healthcheck-method", "healthcheck-httpcode", "healthcheck-connect-port",
    "server-group-id", "slow-start-enabled",
)  # fmt: skip

# Controllers of IngressClasses (https://kubernetes.io/docs/concepts/services-networking/ingress-controllers/).
_CONTROLLERS: dict[str, Controller] = {
    ALB_CONTROLLER: "alb",
    # One official page writes it so.
    "ingress.k8s.alibabacloud.com/alb": "alb",
    "mse.alibabacloud.com/ingress": "mse",
    "higress.io/higress-controller": "higress",
}

# Class names that say all, whatever the annotations; ACK makes the classes mse and apig.
_NAMES: dict[str, Controller] = {"mse": "mse", "apig": "mse", "higress": "higress"}
_OTHER_NAMES = frozenset(
    {
        "gce", "gce-internal", "traefik", "traefik-external", "traefik-internal", "kong", "haproxy", "contour", "istio",
        "cilium", "ambassador", "apisix", "skipper", "voyager", "pomerium", "ngrok", "tailscale", "cloudflare-tunnel",
        "azure-application-gateway", "azure/application-gateway", "azure-alb-external", "openshift-default", "qcloud",
        "cce", "ksyun", "citrix", "f5", "aws-alb", "eks-alb", "cloudbuild", "okteto",
    }
)  # fmt: skip

# Annotations by which other controllers are told apart.
_OTHER_PREFIXES = (
    "nginx.org/", "nginx.com/", "traefik.ingress.kubernetes.io/", "ingress.traefik.io/", "traefik.io/",
    "konghq.com/", "haproxy.org/", "haproxy-ingress.github.io/", "ingress.haproxy.org/", "k8s.apisix.apache.org/",
    "appgw.ingress.kubernetes.io/", "ingress.gcp.kubernetes.io/", "networking.gke.io/", "kubernetes.io/elb.",
    "projectcontour.io/", "ingress.cilium.io/", "getambassador.io/",
)  # fmt: skip


def reading(ingress: IngressFact, project: Project, profile: Profile) -> Reading:
    """Who reads an Ingress: by its class in the input or the profile, else by its name and annotations."""
    return project.once(_reading, ingress, profile)


def _reading(project: Project, ingress: IngressFact, profile: Profile) -> Reading:
    if project.is_patched(ingress, *ingress.class_at.route):
        return Reading()
    name = ingress.ingress_class
    if ingress.class_known and name is None:
        return _without_class(ingress, project, profile)
    if not ingress.class_known:
        # Two classes, or one that is unknown before rendering.
        return Reading() if name is not None else Reading(_by_annotations(ingress, project, profile))
    assert name is not None
    classes: list[IngressClassFact] = list(project.named("IngressClass", name, ingress))
    classes = classes or list(project.anywhere("IngressClass", name))
    declared = [one.controller for one in profile.ingress_classes or () if one.name == name]
    controllers = {one.controller for one in classes} if classes else set(declared)
    if len(controllers) == 1:
        controller = controllers.pop()
        if controller:
            return Reading(_controller(controller), certain=True, ingress_class=classes[0] if classes else None)
    elif controllers:
        return Reading()
    if name in _NAMES:
        return Reading(_NAMES[name])
    if name in _OTHER_NAMES:
        return Reading("other")
    if name == "alb":
        return Reading(_alb(ingress, project, profile))
    own = _by_annotations(ingress, project, profile)
    if own in (None, "alb") and "nginx" in name:
        return Reading("nginx")
    return Reading(own)


def _controller(text: str) -> Controller:
    known = _CONTROLLERS.get(text)
    if known:
        return known
    # Several instances in one cluster are told apart by the controller's name (ingress-nginx, --controller-class).
    return "nginx" if "ingress-nginx" in text else "other"


def _without_class(ingress: IngressFact, project: Project, profile: Profile) -> Reading:
    defaults = [one for one in project.ingress_classes if one.default and one.controller]
    if len(defaults) == 1:
        return Reading(_controller(defaults[0].controller or ""), certain=True, ingress_class=defaults[0])
    declared = [one.controller for one in profile.ingress_classes or () if one.default and one.controller]
    if not defaults and len(declared) == 1:
        return Reading(_controller(declared[0]), certain=True)
    own = _by_annotations(ingress, project, profile)
    if own is None and len(profile.ingress_controllers or ()) == 1:
        only = (profile.ingress_controllers or ())[0]
        return Reading("mse" if only == "apig" else only)
    return Reading(own)


def _by_annotations(ingress: IngressFact, project: Project, profile: Profile) -> Controller | None:
    """Whose annotations an Ingress carries; None: nobody's, or those of several."""
    found: set[Controller] = set()
    for key in ingress.annotations:
        if key.startswith(NGINX):
            found.add("nginx")
        elif key.startswith(ALB):
            found.add("alb")
        elif key.startswith(MSE):
            found.add("mse")
        elif key.startswith(HIGRESS):
            found.add("higress")
        elif key.startswith(_OTHER_PREFIXES):
            found.add("other")
    if found <= {"nginx", "mse"} or found <= {"nginx", "higress"}:
        # Both read NGINX's annotations too.
        found = found - {"nginx"} or found
    if len(found) != 1:
        return None
    only = found.pop()
    return _alb(ingress, project, profile) if only == "alb" else only


def _alb(ingress: IngressFact, project: Project, profile: Profile) -> Controller | None:
    """Whether an ALB of Alibaba Cloud or of AWS is meant; None if neither is plain."""
    keys = [key[len(ALB) :] for key in ingress.annotations if key.startswith(ALB)]
    if any(is_aws(key) for key in keys) or profile.provider not in (None, "ack"):
        return "other"
    if any(key in _ALIBABA_ANNOTATIONS for key in keys):
        return "alb"
    if ingress.resource.alibaba or profile.is_ack or project.alb_configs:
        return "alb"
    return None


def is_aws(suffix: str) -> bool:
    """Whether only the AWS controller reads an annotation with this suffix."""
    return suffix in AWS_ANNOTATIONS or suffix.startswith(("listener-attributes.", "transforms.", "auth-idp-"))


# --- What an Ingress says


def annotation(ingress: IngressFact, *keys: str) -> tuple[str, str | None] | None:
    """The first of these annotations that is written: its key and value (None: unknown before rendering)."""
    for key in keys:
        if key in ingress.annotations:
            return key, ingress.annotations[key]
    return None


def value(ingress: IngressFact, *keys: str) -> str | None:
    """The value of the first of these annotations that is written."""
    found = annotation(ingress, *keys)
    return found[1] if found else None


def is_unsure(ingress: IngressFact, *keys: str) -> bool:
    """Whether the first of these annotations that is written is unknown before rendering."""
    found = annotation(ingress, *keys)
    return found is not None and found[1] is None


READ_BY_ALB = frozenset(
    {"canary", "canary-by-header", "canary-by-header-value", "canary-by-cookie", "canary-weight", "ssl-redirect"}
)
"""What an ALB reads of the annotations of ingress-nginx
(alibaba/alibaba-load-balancer-controller, pkg/controller/ingress/reconcile/annotations/annotations.go)."""


def keys_of(controller: Controller | None, name: str) -> tuple[str, ...]:
    """The annotations under which a controller reads a name that several know, the one that wins first.

    ALB: alibaba/alibaba-load-balancer-controller, annotations.go (GetStringAnnotationMutil). Higress:
    alibaba/higress, pkg/ingress/kube/annotations/parser.go (ParseStringASAP).
    """
    if controller == "alb":
        return (NGINX + name, ALB + name) if name in READ_BY_ALB else (ALB + name,)
    if controller == "mse":
        return NGINX + name, MSE + name
    if controller == "higress":
        return NGINX + name, HIGRESS + name
    return (NGINX + name,)


def is_canary(ingress: IngressFact, controller: Controller | None) -> bool:
    """Whether it is the canary of another Ingress, or may be one."""
    found = annotation(ingress, *keys_of(controller, "canary"))
    return found is not None and (found[1] is None or found[1].strip().lower() in ("true", "1", "t"))


def with_host(host: str | None, project: Project) -> list[IngressFact]:
    """The Ingresses that have a path of a host (None: of any host), or of one that is unknown before rendering."""
    index = project.once(_by_host)
    return index.get(host, []) + index.get(_VAGUE, [])


_VAGUE = object()
"""In the place of a host."""


def _by_host(project: Project) -> dict[Any, list[IngressFact]]:
    index: dict[Any, list[IngressFact]] = {}
    for ingress in project.ingresses:
        for key in dict.fromkeys(path.host if path.host_known else _VAGUE for path in ingress.paths):
            index.setdefault(key, []).append(ingress)
    return index


# --- ALB


def uses_regex(ingress: IngressFact, path: str) -> bool:
    """Whether an ALB takes a path of type Prefix for a regular expression.

    Any value of use-regex does it, and a rewrite-target that is not the path itself
    (alibaba/alibaba-load-balancer-controller, builder/albconfig_manager/model_build_listener_rules.go).
    """
    for name in ("rewrite-target", "use-regex"):
        found = annotation(ingress, ALB + name)
        if found and (found[1] is None or (found[1].strip() and found[1].strip() != path)):
            return path != "/"
    return False


def redirects_to_https(ingress: IngressFact) -> bool | None:
    """Whether `ssl-redirect` is on; None if it is unknown."""
    found = annotation(ingress, *keys_of("alb", "ssl-redirect"))
    if found is None:
        return False
    return None if found[1] is None else found[1] == "true"


def listeners(ingress: IngressFact) -> list[ListenPort] | None:
    """The listeners that an Ingress uses of its ALB; None if they cannot be known.

    `listen-ports`, else 443 for the hosts of `spec.tls` and 80 for those that are not in it, and 80 for
    `ssl-redirect` (alibaba/alibaba-load-balancer-controller, model_builder.go, ComputeIngressListenPorts).
    """
    redirect = redirects_to_https(ingress)
    if redirect is None:
        return None
    found = [ListenPort(80, "HTTP")] if redirect else []
    written = annotation(ingress, ALB + "listen-ports")
    if written:
        ports = listen_ports(written[1]) if written[1] is not None else "unknown"
        return None if isinstance(ports, str) else list(dict.fromkeys(found + ports))
    if not all(entry.known for entry in ingress.tls) or not all(path.host_known for path in ingress.paths):
        return None
    secure = any(host for host in ingress.tls_hosts)
    plain = any(path.host and path.host not in ingress.tls_hosts for path in ingress.paths)
    if plain or not secure:
        found.append(ListenPort(80, "HTTP"))
    if secure:
        found.append(ListenPort(443, "HTTPS"))
    return list(dict.fromkeys(found))


def alb_config(ingress: IngressFact, who: Reading, project: Project) -> AlbConfigFact | None:
    """The AlbConfig of an Ingress, where it is in the input: in the unit, or the only one of its name."""
    if who.controller != "alb" or who.ingress_class is None or annotation(ingress, ALB + "albconfig.name"):
        return None
    parameters = who.ingress_class.parameters
    if parameters is None or not parameters.name:
        return None
    found: list[Any] = list(project.named("AlbConfig", parameters.name, ingress))
    found = found or project.anywhere("AlbConfig", parameters.name)
    return found[0] if len(found) == 1 and isinstance(found[0], AlbConfigFact) else None


def of_alb(config: AlbConfigFact, project: Project, profile: Profile) -> list[IngressFact]:
    """The Ingresses of an AlbConfig that are in the input."""
    return project.once(_of_alb, config, profile)


def _of_alb(project: Project, config: AlbConfigFact, profile: Profile) -> list[IngressFact]:
    return [one for one in project.all_ingresses if alb_config(one, reading(one, project, profile), project) is config]


def covers(tls: tuple[IngressTls, ...], host: str) -> bool:
    """Whether a host is written in `spec.tls`, as it stands: that is how ALB asks."""
    return any(host in entry.hosts for entry in tls)
