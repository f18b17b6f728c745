"""Checks of Ingresses that an ALB serves.

One AlbConfig is built as a whole: what the controller or the cloud refuses of one Ingress stops the rules of all.
Sources: alibaba/alibaba-load-balancer-controller, pkg/controller/ingress/reconcile, and the ALB API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

from kubelint_ack.ack import alb_config_fields
from kubelint_ack.annotations import Part
from kubelint_ack.facts import AlbConfigFact, Backend, IngressFact, IngressPath, ServiceFact
from kubelint_ack.paths import (
    BROKEN,
    ListenPort,
    capture_groups,
    is_prefix,
    listen_ports,
    parse_json,
    references,
    regex_error,
)
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.ingress import (
    ALB,
    alb_config,
    annotation,
    covers,
    is_canary,
    is_unsure,
    keys_of,
    listeners,
    reading,
    redirects_to_https,
    uses_regex,
    value,
    with_host,
)
from kubelint_ack.records import FieldPath, Hit, Related, Severity, at
from kubelint_ack.values import at_least


def _is_alb(ingress: IngressFact, project: Project, profile: Profile) -> bool:
    return reading(ingress, project, profile).controller == "alb"


def _key(name: str) -> FieldPath:
    return at("metadata", "annotations", ALB + name)


# --- Paths

_WILDCARDS = re.compile(r"[*?]")
_ILLEGAL = re.compile(r"[][(){}|^\\]")
# Listed as illegal for the paths of rewrites and redirects only.
_DOUBTFUL = re.compile(r"[\"%#;!,]")


def alb_path_illegal(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A path that the controller or the ALB refuses, at the very character."""
    if not _is_alb(ingress, project, profile):
        return
    for path in ingress.paths:
        written = path.path
        if not written or path.path_type is None or "${" in written or "<" in written:
            continue
        found = _illegal(ingress, path, written)
        if found is None:
            continue
        message, piece = found
        yield Hit(
            path.at.slice(piece.start, piece.end),
            message=message,
            severity="warning" if message == "doubtful" else None,
            depends=(path.type_at,),
            path=written,
            path_type=path.path_type,
            character=piece.text,
        )


def _illegal(ingress: IngressFact, path: IngressPath, written: str) -> tuple[str, Part] | None:
    if path.path_type == "Prefix" and uses_regex(ingress, written):
        broken = regex_error(written)
        return ("regex", broken) if broken else None
    if path.path_type in ("Prefix", "Exact"):
        found = _WILDCARDS.search(written)
        if found:
            return "wildcard", Part(found[0], found.start(), found.end())
    for message, characters in (("default", _ILLEGAL), ("doubtful", _DOUBTFUL)):
        found = characters.search(written)
        if found:
            return message, Part(found[0], found.start(), found.end())
    return None


def alb_use_regex_pathtype(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """`use-regex` with a path of another type than Prefix, which stays literal."""
    found = annotation(ingress, f"{ALB}use-regex")
    if found is None or found[1] is None or not _is_alb(ingress, project, profile):
        return
    if found[1].strip() == "false":
        # Any value switches it on (see `uses_regex`).
        if any(path.path_type == "Prefix" and path.path not in (None, "/") for path in ingress.paths):
            yield Hit(_key("use-regex"), message="not-off", severity="info")
        return
    for path in ingress.paths:
        if path.path_type not in ("Exact", "ImplementationSpecific") or path.path in (None, "/"):
            continue
        # What cannot stand in a literal path is said by alb-path-illegal.
        if _illegal(ingress, path, path.path or "") is None:
            yield Hit(path.type_at, related=(Related(_key("use-regex").key, note="flag"),), path_type=path.path_type)


def alb_rewrite_syntax(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Groups in a rewrite target that are not put in, or that the path does not have."""
    key = f"{ALB}rewrite-target"
    target = ingress.annotations.get(key)
    if not target or "$" not in target or not _is_alb(ingress, project, profile):
        return
    here = at("metadata", "annotations", key)
    found = [(number, braces, piece) for number, braces, piece in references(target) if number]
    bare = next((piece for _, braces, piece in found if not braces), None)
    if bare is not None:
        right = re.sub(r"\$(\d)", r"${\1}", target)
        yield Hit(here.slice(bare.start, bare.end), reference=bare.text, right=right)
        return
    for path in ingress.paths if found else ():
        if path.path is None or path.path_type is None:
            continue
        if path.path_type != "Prefix":
            # A regular expression of another type is refused: alb-path-illegal says that.
            if not _ILLEGAL.search(path.path):
                yield Hit(path.type_at, message="type", reference=found[0][2].text, path=path.path)
            continue
        groups = capture_groups(path.path)
        number, _, piece = max(found)
        if number > groups:
            related = (Related(path.at, note="path"),)
            place = here.slice(piece.start, piece.end)
            yield Hit(place, message="group", related=related, reference=piece.text, path=path.path, groups=groups)
            return


# --- Listeners


def alb_listen_ports_invalid(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A value of `listen-ports` that the controller cannot read."""
    text = ingress.annotations.get(f"{ALB}listen-ports")
    # Blank counts as absent.
    if not text or not text.strip() or "${" in text or "<" in text or not _is_alb(ingress, project, profile):
        return
    found = listen_ports(text)
    if isinstance(found, str):
        yield Hit(_key("listen-ports").value, message=found, value=text)


def alb_listener_missing(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A listener that the Ingress uses and its AlbConfig does not declare."""
    who = reading(ingress, project, profile)
    config = alb_config(ingress, who, project)
    wanted = listeners(ingress) if config else None
    if config is None or wanted is None or not config.known or not ingress.paths:
        return
    if project.is_patched(config, "spec") or project.is_patched(ingress, "metadata", "annotations"):
        return
    needs_them = at_least((profile.components or {}).get("alb-ingress-controller"), "2.11")
    if needs_them is False:
        return
    # One that is kept elsewhere may be another cluster's.
    severity: Severity | None = None if any(one is config for one in project.alb_configs) else "warning"
    declared = {ListenPort(one.port or 0, one.protocol or "") for one in config.listeners}
    written = annotation(ingress, f"{ALB}listen-ports")
    for one in wanted:
        if one in declared:
            continue
        other = next((given for given in config.listeners if given.port == one.port), None)
        if other and other.protocol not in alb_config_fields()["spec.listeners[].protocol"]["values"]:
            # Said by albconfig-value-invalid.
            continue
        yield Hit(
            _listener_place(ingress, one, written is not None),
            message="protocol" if other else "default",
            # Older versions make the listener by themselves.
            severity=severity if needs_them else "info",
            related=(Related(other.at if other else config.listeners_at, of=config, note="listeners"),),
            port=one.port,
            protocol=one.protocol,
            other=other.protocol if other else "",
            config=config.resource.id.name,
        )


def _listener_place(ingress: IngressFact, one: ListenPort, written: bool) -> FieldPath:
    """What of the Ingress asks for a listener."""
    ports = listen_ports(ingress.annotations.get(f"{ALB}listen-ports") or "") if written else ""
    if not isinstance(ports, str) and one in ports:
        return _key("listen-ports")
    redirect = annotation(ingress, *keys_of("alb", "ssl-redirect"))
    if one.port == 80 and redirect and redirect[1] == "true":
        return at("metadata", "annotations", redirect[0])
    return at("spec", "tls") if one.protocol == "HTTPS" else at("spec", "rules")


def alb_tls_host_mismatch(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A host that is served on HTTP only, because `spec.tls` does not list it as it stands."""
    if not ingress.tls or not all(entry.known for entry in ingress.tls) or not any(ingress.tls_hosts):
        return
    if annotation(ingress, f"{ALB}listen-ports") or redirects_to_https(ingress) is not False:
        return
    if not _is_alb(ingress, project, profile):
        return
    told = set()
    for path in ingress.paths:
        if path.host and path.host not in told and not covers(ingress.tls, path.host):
            told.add(path.host)
            route = path.at.route[:3]
            yield Hit(at(*route, "host"), related=(Related(ingress.tls[0].at, note="tls"),), host=path.host)


def alb_grpc_needs_tls(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Backends that speak gRPC behind a listener without TLS: the model of the whole ALB fails."""
    here = _key("backend-protocol")
    if ingress.annotations.get(f"{ALB}backend-protocol") != "grpc" or not _is_alb(ingress, project, profile):
        return
    if not ingress.tls:
        if not project.is_patched(ingress, "spec", "tls"):
            yield Hit(here, listener="")
        return
    text = ingress.annotations.get(f"{ALB}listen-ports")
    ports = listen_ports(text) if text else "absent"
    for one in ports if not isinstance(ports, str) else ():
        redirected = one == ListenPort(80, "HTTP") and redirects_to_https(ingress) is not False
        if one.protocol != "HTTPS" and not redirected:
            message = "listener" if one.protocol == "HTTP" else "quic"
            related = (Related(here, note="protocol"),)
            yield Hit(_key("listen-ports"), message=message, related=related, listener=f"{one.port}/{one.protocol}")
            return


# --- Actions and conditions

_ACTIONS = (
    "FixedResponse", "Redirect", "InsertHeader", "TrafficMirror", "RemoveHeader", "Forward", "ForwardGroup", "Rewrite",
    "TrafficLimit", "Cors",
)  # fmt: skip
_FINAL = ("fixedresponse", "redirect", "forward", "forwardgroup")
_CONDITIONS = (
    "Host", "Path", "Header", "QueryString", "Method", "Cookie", "SourceIp", "ResponseHeader", "ResponseStatusCode",
)  # fmt: skip
_FAMILIES = ("actions.", "conditions.", "rule-direction.")
_MOST_ADDRESSES, _MOST_VALUES = 5, 10
_USE_ANNOTATION = "use-annotation"


def _backends(ingress: IngressFact) -> dict[str, Backend]:
    return {backend.service: backend for backend in ingress.backends}


def alb_actions_service_mismatch(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """An annotation for a Service that no path of the Ingress leads to."""
    keys = [key for key in ingress.annotations if key.startswith(tuple(ALB + family for family in _FAMILIES))]
    if not keys or not _is_alb(ingress, project, profile) or not all(path.backend_known for path in ingress.paths):
        return
    services = _backends(ingress)
    awaited = any(
        one.port == _USE_ANNOTATION and f"{ALB}actions.{one.service}" not in ingress.annotations
        for one in ingress.backends
    )
    for key in keys:
        family, _, service = key[len(ALB) :].partition(".")
        if family == "actions" and awaited:
            # Said by alb-use-annotation-without-actions, at the backend that waits for it.
            continue
        if service not in services and not re.search(r"[{}<>$]", service) and ingress.paths:
            here = at("metadata", "annotations", key).key
            yield Hit(here, key=key, service=service, services=sorted(services))


def alb_actions_json(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Actions and conditions that the controller cannot read or build."""
    keys = [key for key in ingress.annotations if key.startswith((f"{ALB}actions.", f"{ALB}conditions."))]
    if not keys or not _is_alb(ingress, project, profile):
        return
    backends = _backends(ingress)
    for key in keys:
        text = ingress.annotations[key]
        family, _, service = key[len(ALB) :].partition(".")
        if text is None or re.search(r"<[a-zA-Z]|\{\{", text):
            continue
        if service not in backends:
            # Said by alb-actions-service-mismatch: nobody reads it.
            continue
        items = parse_json(text)
        here = at("metadata", "annotations", key)
        if items is BROKEN:
            if text.strip() or family == "actions":
                yield _action_hit(here.value, key, "json")
        elif not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            yield _action_hit(here.value, key, "array")
        elif family == "actions":
            yield from _actions(ingress, key, here, items, backends[service])
        else:
            yield from _conditions(key, here, items)


def _action_hit(
    where: FieldPath, key: str, message: str, severity: Severity | None = None, given: Any = "", most: int = 0
) -> Hit:
    return Hit(where, message=message, severity=severity, key=key, given=given, most=most)


def _get(item: dict[str, Any], name: str) -> Any:
    """A field as Go's decoder finds it: whatever its case."""
    return next((value for key, value in item.items() if key.lower() == name.lower()), None)


def _actions(
    ingress: IngressFact, key: str, here: FieldPath, items: list[dict[str, Any]], backend: Backend
) -> Iterator[Hit]:
    kinds = [str(_get(one, "type") or "") for one in items]
    for kind in kinds:
        if kind.lower() not in map(str.lower, _ACTIONS):
            yield _action_hit(here.value, key, "action-type", "warning", kind)
            return
    final = [kind for kind in kinds if kind.lower() in _FINAL]
    if backend.port is not None and backend.port != _USE_ANNOTATION and final:
        yield _action_hit(here.value, key, "final", None, final[0])
    elif len(final) > 1:
        yield _action_hit(here.value, key, "finals", None, ", ".join(final))
    if any(kind.lower() == "trafficlimit" for kind in kinds):
        limit = annotation(ingress, f"{ALB}traffic-limit-qps") or annotation(ingress, f"{ALB}traffic-limit-ip-qps")
        if limit:
            yield _action_hit(here.value, key, "limit", None, limit[0])
    for one in items:
        for group in _server_groups(one):
            port = _get(group, "ServicePort")
            if isinstance(port, str):
                yield _action_hit(here.value, key, "port", None, port)
        rewrite = _get(one, "RewriteConfig")
        query = _get(rewrite, "Query") if isinstance(rewrite, dict) else None
        if isinstance(query, str) and re.search("[A-Z]", query.replace("${Query}", "")):
            yield _action_hit(here.value, key, "query", None, query)


def _server_groups(action: dict[str, Any]) -> Iterator[dict[str, Any]]:
    config = _get(action, "ForwardConfig") or _get(action, "ForwardGroupConfig")
    groups = _get(config, "ServerGroups") if isinstance(config, dict) else None
    for group in groups if isinstance(groups, list) else ():
        if isinstance(group, dict):
            yield group


def _conditions(key: str, here: FieldPath, items: list[dict[str, Any]]) -> Iterator[Hit]:
    addresses = total = 0
    for one in items:
        kind = str(_get(one, "type") or "")
        if kind.lower() not in map(str.lower, _CONDITIONS):
            yield _action_hit(here.value, key, "condition-type", "warning", kind)
            return
        config = _get(one, f"{kind}Config")
        values = _get(config, "values") if isinstance(config, dict) else None
        count = len(values) if isinstance(values, list) else 0
        total += count
        addresses += count if kind.lower() == "sourceip" else 0
    if addresses > _MOST_ADDRESSES:
        yield _action_hit(here.value, key, "addresses", None, addresses, _MOST_ADDRESSES)
    elif total > _MOST_VALUES:
        yield _action_hit(here.value, key, "values", "warning", total, _MOST_VALUES)


def alb_use_annotation_without_actions(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A backend that is said to be in an annotation, which is not there."""
    told = set()
    for backend in ingress.backends:
        key = f"{ALB}actions.{backend.service}"
        if backend.port != _USE_ANNOTATION or key in ingress.annotations or key in told:
            continue
        if not _is_alb(ingress, project, profile) or project.is_patched(ingress, "metadata", "annotations"):
            return
        told.add(key)
        redirected = redirects_to_https(ingress) is not False
        yield Hit(backend.port_at, severity="warning" if redirected else None, key=key, service=backend.service)


# --- Backends

_BACKEND_TYPE = "service.beta.kubernetes.io/backend-type"


def alb_backend_clusterip_on_flannel(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A Service without node ports behind an ALB whose backends are nodes."""
    if profile.service_backend_type != "ecs" or not _is_alb(ingress, project, profile):
        return
    if annotation(ingress, f"{ALB}server-group-id") or annotation(ingress, _BACKEND_TYPE):
        return
    told = set()
    for backend in ingress.backends:
        if backend.port == _USE_ANNOTATION or backend.service in told:
            continue
        services: list[ServiceFact] = list(project.named("Service", backend.service, ingress))
        if not services or any(_has_node_ports(service, project) for service in services):
            continue
        told.add(backend.service)
        service = services[0]
        pods = project.select(service.selector, service).workloads if service.selector else ()
        virtual = profile.virtual_nodes or any(_on_virtual_nodes(pod.node_selector) for pod in pods)
        yield Hit(
            backend.at,
            severity="warning" if virtual else None,
            related=(Related(service.resource.name_at, of=service, note="service"),),
            service=backend.service,
            plugin="Flannel" if profile.cni == "flannel" else "ecs",
        )


def _has_node_ports(service: ServiceFact, project: Project) -> bool:
    if service.type != "ClusterIP" or project.is_patched(service, "spec", "type"):
        return True
    return service.annotations.get(_BACKEND_TYPE) == "eni" or project.is_patched(service, "metadata")


def _on_virtual_nodes(labels: dict[str, str | None]) -> bool:
    return labels.get("type") == "virtual-kubelet"


def alb_default_backend_ignored(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A default backend, which ALB does not read."""
    if ingress.default_backend and _is_alb(ingress, project, profile):
        # It is the field above the name of the Service.
        here = at(*ingress.default_backend.at.route[:2])
        yield Hit(here.key, message="default" if ingress.paths else "alone", service=ingress.default_backend.service)


# --- Server groups


def alb_sticky_server_cookie(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Stickiness by a cookie of the backend that has no name."""
    on = value(ingress, f"{ALB}sticky-session") == "true" and value(ingress, f"{ALB}sticky-session-type") == "Server"
    if not on or (annotation(ingress, f"{ALB}cookie") or ("", ""))[1] != "":
        return
    if not _is_alb(ingress, project, profile) or project.is_patched(ingress, "metadata", "annotations"):
        return
    running = (profile.components or {}).get("alb-ingress-controller")
    # Before 2.15 the name could not be set at all.
    yield Hit(_key("sticky-session-type"), severity="warning" if at_least(running, "2.15") is False else None)


def alb_slow_start_scheduler(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Slow start with another scheduler than weighted round robin."""
    if value(ingress, f"{ALB}slow-start-enabled") != "true":
        return
    scheduler = value(ingress, f"{ALB}backend-scheduler")
    if scheduler in ("wlc", "sch", "uch") and _is_alb(ingress, project, profile):
        related = (Related(_key("slow-start-enabled"), note="slow"),)
        yield Hit(_key("backend-scheduler"), related=related, scheduler=scheduler)


def alb_uch_value_missing(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Hashing by a query parameter that is not named."""
    if value(ingress, f"{ALB}backend-scheduler") != "uch":
        return
    found = annotation(ingress, f"{ALB}backend-scheduler-uch-value")
    if (found is None or found[1] == "") and _is_alb(ingress, project, profile):
        yield Hit(_key("backend-scheduler"))


def alb_traffic_limit_order(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A limit for one client that is not lower than the one for all."""
    whole, single = value(ingress, f"{ALB}traffic-limit-qps"), value(ingress, f"{ALB}traffic-limit-ip-qps")
    if not whole or not single or not whole.isdecimal() or not single.isdecimal():
        return
    if 1 <= int(whole) <= int(single) and _is_alb(ingress, project, profile):
        related = (Related(_key("traffic-limit-qps"), note="whole"),)
        yield Hit(_key("traffic-limit-ip-qps").value, related=related, single=single, whole=whole)


# --- Names and order

_RESERVED = "aliyun"


def alb_reserved_name(fact: IngressFact | AlbConfigFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Names that the ALB refuses: of the AlbConfig, the Ingress, its namespace, its Services."""
    name, namespace = fact.resource.id.name or "", fact.resource.id.namespace or ""
    if isinstance(fact, AlbConfigFact):
        if name.startswith(_RESERVED):
            yield Hit(fact.resource.name_at, kind="AlbConfig", name=name)
        return
    services = {backend.service: backend for backend in fact.backends if backend.service.startswith(_RESERVED)}
    if not services and not name.startswith(_RESERVED) and not namespace.startswith(_RESERVED):
        return
    if not _is_alb(fact, project, profile):
        return
    if name.startswith(_RESERVED):
        yield Hit(fact.resource.name_at, kind="Ingress", name=name)
    if namespace.startswith(_RESERVED):
        yield Hit(at("metadata", "namespace"), kind="Namespace", name=namespace)
    for backend in services.values():
        if backend.port != _USE_ANNOTATION:
            yield Hit(backend.at, kind="Service", name=backend.service)


_DEFAULT_ORDER = 10
_ORDER_KEYS = (f"{ALB}albconfig.order", f"{ALB}order")


def _order(ingress: IngressFact) -> int | None:
    """Its place among the Ingresses of its ALB; None if it is unknown."""
    found = annotation(ingress, *_ORDER_KEYS)
    if found is None or found[1] == "":
        return _DEFAULT_ORDER
    text = found[1] or ""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def _siblings(
    ingress: IngressFact, candidates: Iterable[IngressFact], project: Project, profile: Profile
) -> Iterator[IngressFact]:
    """Those of the same ALB among some Ingresses, as far as that is sure: of the same class, applied together."""
    for one in candidates:
        if one is ingress or one.ingress_class != ingress.ingress_class or not _is_alb(one, project, profile):
            continue
        own, other = (annotation(each, f"{ALB}albconfig.name") for each in (ingress, one))
        if own == other and project.together(one.resource, ingress.resource):
            yield one


def alb_order_shadowing(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A path that is never reached, because a shorter one of the host is asked first."""
    if not ingress.paths or not _is_alb(ingress, project, profile) or not _ordinary(ingress):
        return
    own = _order(ingress)
    if own is None:
        return
    place = (own, f"{project.namespace(ingress) or ''}/{ingress.name}")
    earlier: list[tuple[IngressFact, IngressPath]] = []
    hosts = dict.fromkeys(path.host for path in ingress.paths if path.host_known)
    others = {id(one): one for host in hosts for one in with_host(host, project)}
    for one in _siblings(ingress, others.values(), project, profile):
        order = _order(one)
        # With the same place the name of the namespace decides, which the render may give.
        if order is not None and _ordinary(one) and (order, f"{project.namespace(one) or ''}/{one.name}") < place:
            earlier += [(one, path) for path in one.paths]
    for path in ingress.paths:
        for one, before in earlier:
            if _shadows(one, before, ingress, path):
                yield Hit(
                    path.at,
                    related=(Related(before.at, of=one, note="first"),),
                    path=path.path or "/",
                    host=path.host or "*",
                    earlier=before.path or "/",
                    other=one.name,
                )
                break
        earlier.append((ingress, path))


def _ordinary(ingress: IngressFact) -> bool:
    """Whether host and path are all that its rules ask for."""
    return not is_canary(ingress, "alb") and not any(key.startswith(f"{ALB}conditions.") for key in ingress.annotations)


def _shadows(one: IngressFact, before: IngressPath, ingress: IngressFact, path: IngressPath) -> bool:
    if before.host != path.host or not before.host_known or not path.host_known:
        return False
    if before.path_type != "Prefix" or before.path is None or path.path is None or before.path == path.path:
        return False
    if uses_regex(one, before.path) or uses_regex(ingress, path.path):
        return False
    same_listeners = listeners(one)
    return is_prefix(before.path, path.path) and same_listeners is not None and same_listeners == listeners(ingress)


def alb_order_duplicate(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A place that another Ingress of the ALB has been given too."""
    found = annotation(ingress, *_ORDER_KEYS)
    if found is None or not found[1] or is_unsure(ingress, found[0]) or not _is_alb(ingress, project, profile):
        return
    earlier = takewhile(lambda one: one is not ingress, project.once(_ordered).get(found[1], ()))
    for one in _siblings(ingress, earlier, project, profile):
        other = annotation(one, *_ORDER_KEYS) or ("",)
        yield Hit(
            at("metadata", "annotations", found[0]),
            related=(Related(at("metadata", "annotations", other[0]), of=one, note="first"),),
            order=found[1],
            other=one.name,
        )
        return


def _ordered(project: Project) -> dict[str, list[IngressFact]]:
    """The Ingresses that are given a place explicitly, by that place."""
    index: dict[str, list[IngressFact]] = {}
    for ingress in project.ingresses:
        found = annotation(ingress, *_ORDER_KEYS)
        if found and found[1]:
            index.setdefault(found[1], []).append(ingress)
    return index
