"""Checks of hosts: who claims the same host and path, and the certificates of hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubelint_ack.facts import DataFact, IngressFact, IngressPath
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.ingress import ALB, is_canary, reading
from kubelint_ack.records import Hit, Related, Severity

# --- Duplicates


def ingress_host_duplicate_path(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A host and path that an earlier Ingress of the same class has too, or the same one."""
    if not ingress.paths:
        return
    claims = project.once(_claims)
    for path in ingress.paths:
        key = _claim(ingress, path)
        owners = claims.get(key, ()) if key else ()
        if len(owners) < 2:
            continue
        for other, earlier in owners:
            if earlier is path:
                break
            severity = _severity(ingress, path, other, earlier, project, profile)
            if severity == "none":
                continue
            message = "same" if other is ingress else "default"
            yield Hit(
                path.at,
                message="redundant" if severity == "info" else message,
                severity="info" if severity == "info" else None,
                related=(Related(earlier.at, of=other, note="first"),),
                host=path.host or "*",
                path=path.path or "/",
                other=other.name,
            )
            break


def _claim(ingress: IngressFact, path: IngressPath) -> tuple[Any, ...] | None:
    if not path.host_known or not path.path_known or not ingress.class_known:
        return None
    return ingress.ingress_class, path.host, path.path or "/", path.path_type


def _claims(project: Project) -> dict[tuple[Any, ...], list[tuple[IngressFact, IngressPath]]]:
    """Ingresses and their paths by class, host, path and type, in the order of files."""
    found: dict[tuple[Any, ...], list[tuple[IngressFact, IngressPath]]] = {}
    for ingress in project.ingresses:
        for path in ingress.paths:
            key = _claim(ingress, path)
            if key:
                found.setdefault(key, []).append((ingress, path))
    return found


def _severity(
    ingress: IngressFact,
    path: IngressPath,
    other: IngressFact,
    earlier: IngressPath,
    project: Project,
    profile: Profile,
) -> str:
    """`warning`, `info`, or `none`: they may both be right."""
    if not _plain(ingress, project, profile) or not _plain(other, project, profile):
        return "none"
    if any(project.is_patched(one, "spec") or project.is_patched(one, "metadata") for one in (ingress, other)):
        return "none"
    if other is not ingress:
        same_object = other.name == ingress.name and project.namespace(other) == project.namespace(ingress)
        if same_object or not project.together(other.resource, ingress.resource):
            return "none"
    return "warning" if _target(path) != _target(earlier) else "info"


def _target(path: IngressPath) -> tuple[Any, ...]:
    return (path.backend.service, path.backend.port) if path.backend else (None, path.at)


def _plain(ingress: IngressFact, project: Project, profile: Profile) -> bool:
    """Whether host and path are all that decides: no canary, and no condition besides."""
    who = reading(ingress, project, profile).controller
    if who == "other" or is_canary(ingress, who):
        return False
    return not any(key.startswith(f"{ALB}conditions.") or _DECIDES.search(key) for key in ingress.annotations)


# Further conditions of MSE and Higress, and those by which older controllers of ACK divide requests in one Ingress.
_DECIDES = re.compile(r"-match-|/match-method$|/service-(match|weight)$")


# --- Certificates


def ingress_tls_secret_missing(fact: Any, project: Project, profile: Profile) -> Iterator[Hit]:
    """A Secret for TLS that does not exist, or is no certificate."""
    told: set[str] = set()
    for reference in fact.resource.references:
        if reference.role != "tls" or reference.name in told:
            continue
        told.add(reference.name)
        # cert-manager and its like make the Secret.
        made = isinstance(fact.annotations, dict) and any(_makes_certificates(key) for key in fact.annotations)
        if made or project.is_patched(fact, *reference.at.route) or "$" in reference.name or "<" in reference.name:
            continue
        answer = project.resolve(reference, fact)
        if answer.missing and answer.certain:
            yield Hit(reference.at, message="default", severity="info", secret=reference.name, lacking="")
        elif isinstance(answer.fact, DataFact):
            yield from _no_certificate(reference.at, answer.fact, project)


def _makes_certificates(key: str) -> bool:
    return "cert-manager" in key or "acme" in key or key.startswith("external-secrets.io/")


def _no_certificate(where: Any, secret: DataFact, project: Project) -> Iterator[Hit]:
    name = secret.resource.id.name or ""
    added = project.added_keys("Secret", name)
    if not secret.complete or added is None or project.is_patched(secret) or not secret.keys:
        return
    lacking = [key for key in ("tls.crt", "tls.key") if key not in (*secret.keys, *added)]
    if not lacking:
        return
    severity: Severity | None = None
    yield Hit(
        where,
        message="keys",
        severity=severity,
        related=(Related(secret.resource.name_at, of=secret, note="secret"),),
        secret=name,
        lacking=lacking,
    )
