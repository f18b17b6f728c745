"""Facts of Ingresses."""

from __future__ import annotations

from typing import Any

from kubelint_ack.extract.base import Extraction, mention
from kubelint_ack.facts import Backend, Facts, IngressFact, Reference
from kubelint_ack.records import Route, at
from kubelint_ack.views import View, integer, mapping, sequence, text


def ingress(view: View, x: Extraction, into: Facts) -> None:
    """The fact of an Ingress."""
    backends = []
    routes: list[tuple[Route, Any, str | None, str | None, str | None]] = [
        (("spec", field), view.spec.get(field), None, None, None) for field in ("defaultBackend", "backend")
    ]
    for index, rule in enumerate(sequence(view.spec.get("rules"))):
        host = text(mapping(rule).get("host"))
        for number, entry in enumerate(sequence(mapping(mapping(rule).get("http")).get("paths"))):
            item = mapping(entry)
            route: Route = ("spec", "rules", index, "http", "paths", number, "backend")
            routes.append((route, item.get("backend"), host, text(item.get("path")), text(item.get("pathType"))))
    for inner, backend, host, path, path_type in routes:
        named = mapping(mapping(backend).get("service"))
        if text(named.get("name")):
            port = mapping(named.get("port"))
            key = "name" if "name" in port else "number"
            value = port.get(key)
            backends.append(
                Backend(
                    named["name"],
                    value if isinstance(value, str) else integer(value),
                    at(*inner, "service", "name"),
                    at(*inner, "service", "port", key),
                    host,
                    path,
                    path_type,
                )
            )
        elif text(mapping(backend).get("serviceName")):
            value = backend.get("servicePort")
            backends.append(
                Backend(
                    backend["serviceName"],
                    value if isinstance(value, str) else integer(value),
                    at(*inner, "serviceName"),
                    at(*inner, "servicePort"),
                    host,
                    path,
                    path_type,
                )
            )
    hosts: list[str] = []
    for index, entry in enumerate(sequence(view.spec.get("tls"))):
        hosts.extend(host for host in sequence(mapping(entry).get("hosts")) if isinstance(host, str))
        name = text(mapping(entry).get("secretName"))
        if name:
            x.references.append(Reference("Secret", name, at("spec", "tls", index, "secretName"), role="tls"))
    for index, rule in enumerate(sequence(view.spec.get("rules"))):
        mention(x, mapping(rule).get("host"), "spec", "rules", index, "host")
    annotations = {key: value for key, value in view.annotations.items() if isinstance(value, str)}
    ingress_class = text(view.spec.get("ingressClassName")) or annotations.get("kubernetes.io/ingress.class")
    into.ingresses.append(
        IngressFact(x.resource(view.labels), ingress_class, tuple(backends), tuple(hosts), annotations)
    )
