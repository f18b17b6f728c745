"""What the API server refuses of objects of the Gateway API.

Restates the validation in the CRDs of the standard channel (kubernetes-sigs/gateway-api, apis/v1), also its CEL rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit, Route, Unknown
from kubelint_ack.values import address
from kubelint_ack.views import View, mapping, sequence, text

_HOSTNAME = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_GROUP = re.compile(r"|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PLACEHOLDER = re.compile(r"<[^<>]*>|[{}$]")


def gateway_api_invalid(resource: View, profile: Profile) -> Iterator[Hit]:
    """An object that does not pass the validation of its CRD."""
    check = _CHECKS.get(resource.kind)
    if check is not None:
        yield from check(resource)


def _hit(resource: View, route: Route, message: str, *, key: bool = False, **values: Any) -> Hit:
    here = resource.at(*route)
    given = {"field": str(route[-1]), "value": "", "other": "", "protocol": "", **values}
    return Hit(here.key if key else here, message=message, **given)


def _known(value: Any) -> str:
    """A string that is surely meant as it stands; else empty."""
    return value if isinstance(value, str) and not _PLACEHOLDER.search(value) else ""


def _items(resource: View, route: Route) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    """The routes and mappings of the items of a list."""
    for index, item in enumerate(sequence(resource.get(*route))):
        if isinstance(item, dict):
            yield (*route, index), item


def _hostnames(resource: View, route: Route) -> Iterator[Hit]:
    for index, name in enumerate(sequence(resource.get(*route))):
        written = _known(name)
        if written and (len(written) > 253 or not _HOSTNAME.fullmatch(written)):
            yield _hit(resource, (*route, index), "hostname", value=written)


# --- Gateways


def _gateway(resource: View) -> Iterator[Hit]:
    names: dict[str, Route] = {}
    places: dict[tuple[Any, ...], Route] = {}
    for route, item in _items(resource, ("spec", "listeners")):
        name, protocol = _known(item.get("name")), _known(item.get("protocol"))
        if name and names.setdefault(name, route) is not route:
            yield _hit(resource, (*route, "name"), "name", value=name)
        place = item.get("port"), protocol, item.get("hostname") or ""
        sure = protocol and not any(isinstance(one, Unknown) for one in place)
        if sure and places.setdefault(place, route) is not route:
            yield _hit(resource, route, "place", value=place[0], protocol=protocol)
        hostname = _known(item.get("hostname"))
        if hostname and not _HOSTNAME.fullmatch(hostname):
            yield _hit(resource, (*route, "hostname"), "hostname", value=hostname)
        if hostname and protocol in ("TCP", "UDP"):
            yield _hit(resource, (*route, "hostname"), "no-hostname", protocol=protocol)
        yield from _tls(resource, route, item, protocol)
    for route, item in _items(resource, ("spec", "addresses")):
        value, kind = _known(item.get("value")), item.get("type", "IPAddress")
        if value and kind == "IPAddress" and not address(value):
            yield _hit(resource, (*route, "value"), "address", value=value)
        elif value and kind == "Hostname" and not _HOSTNAME.fullmatch(value):
            yield _hit(resource, (*route, "value"), "hostname", value=value)


def _tls(resource: View, route: Route, item: Mapping[str, Any], protocol: str) -> Iterator[Hit]:
    tls = item.get("tls")
    if tls is None or isinstance(tls, Unknown):
        return
    mode = mapping(tls).get("mode", "Terminate")
    if protocol in ("HTTP", "TCP", "UDP"):
        yield _hit(resource, (*route, "tls"), "no-tls", key=True, protocol=protocol)
    elif protocol == "HTTPS" and mode == "Passthrough":
        yield _hit(resource, (*route, "tls", "mode"), "mode", value=mode)
    elif mode == "Terminate" and not any(mapping(tls).get(key) for key in ("certificateRefs", "options")):
        yield _hit(resource, (*route, "tls"), "certificate", key=True, protocol=protocol)


# --- Routes

_CONFIGS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
}


def _route(resource: View) -> Iterator[Hit]:
    yield from _hostnames(resource, ("spec", "hostnames"))
    for route, rule in _items(resource, ("spec", "rules")):
        for inner, match in _items(resource, (*route, "matches")):
            yield from _match(resource, inner, match)
        yield from _filters(resource, (*route, "filters"))
        redirects = any(mapping(one).get("type") == "RequestRedirect" for one in sequence(rule.get("filters")))
        if redirects and sequence(rule.get("backendRefs")):
            yield _hit(resource, (*route, "backendRefs"), "redirect", key=True)
        for inner, backend in _items(resource, (*route, "backendRefs")):
            yield from _backend(resource, inner, backend)
            yield from _filters(resource, (*inner, "filters"))


def _backend(resource: View, route: Route, backend: Mapping[str, Any]) -> Iterator[Hit]:
    group = backend.get("group", "")
    if isinstance(group, str) and not _PLACEHOLDER.search(group) and not _GROUP.fullmatch(group):
        yield _hit(resource, (*route, "group"), "group", value=group)
    elif group == "" and backend.get("kind", "Service") == "Service" and backend.get("port") is None:
        yield _hit(resource, (*route, "name"), "port", value=text(backend.get("name")) or "")


def _match(resource: View, route: Route, match: Mapping[str, Any]) -> Iterator[Hit]:
    for key in ("headers", "queryParams"):
        seen = set()
        for inner, item in _items(resource, (*route, key)):
            name = _known(item.get("name"))
            if name and name in seen:
                yield _hit(resource, (*inner, "name"), "twice", value=name)
            seen.add(name)
    path = mapping(match.get("path"))
    value = _known(path.get("value"))
    if value and path.get("type", "PathPrefix") in ("Exact", "PathPrefix") and not value.startswith("/"):
        yield _hit(resource, (*route, "path", "value"), "path", value=value)


def _filters(resource: View, route: Route) -> Iterator[Hit]:
    for inner, item in _items(resource, route):
        kind = _known(item.get("type"))
        config = _CONFIGS.get(kind)
        if config and item.get(config) is None:
            yield _hit(resource, (*inner, "type"), "filter", value=kind, other=config)
        for key in ("requestHeaderModifier", "responseHeaderModifier"):
            yield from _header_changes(resource, (*inner, key))


def _header_changes(resource: View, route: Route) -> Iterator[Hit]:
    for key in ("set", "add"):
        seen = set()
        for inner, item in _items(resource, (*route, key)):
            name = _known(item.get("name"))
            if name and name in seen:
                yield _hit(resource, (*inner, "name"), "twice", value=name)
            seen.add(name)
    removed = set()
    for index, name in enumerate(sequence(resource.get(*route, "remove"))):
        if _known(name) in removed and _known(name):
            yield _hit(resource, (*route, "remove", index), "twice", value=name)
        removed.add(_known(name))


def _tls_route(resource: View) -> Iterator[Hit]:
    yield from _route(resource)
    # In the older versions of the API it could be left out.
    if resource.id.version == "v1" and resource.spec and not resource.has("spec", "hostnames"):
        yield _hit(resource, ("spec", "hostnames"), "required", other="TLSRoute")


def _grant(resource: View) -> Iterator[Hit]:
    for key in ("from", "to"):
        value = resource.spec.get(key)
        if resource.spec and not isinstance(value, Unknown) and not value:
            yield _hit(resource, ("spec", key), "required", other="ReferenceGrant")


_CHECKS: dict[str, Callable[[View], Iterator[Hit]]] = {
    "Gateway": _gateway,
    "HTTPRoute": _route,
    "GRPCRoute": _route,
    "TCPRoute": _route,
    "UDPRoute": _route,
    "TLSRoute": _tls_route,
    "ReferenceGrant": _grant,
}
