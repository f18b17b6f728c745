"""Checks of classes: which controller an Ingress, an IngressClass and a Gateway are for."""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.facts import IngressClassFact, IngressFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.ingress import ALB_CONTROLLER, reading
from kubelint_ack.records import Hit
from kubelint_ack.values import nearest
from kubelint_ack.views import View, mapping, text

# --- API versions

_REMOVED = (1, 22)
"""https://kubernetes.io/docs/reference/using-api/deprecation-guide/#ingress-v122"""


def ingress_api_removed(resource: View, profile: Profile) -> Iterator[Hit]:
    """An Ingress or IngressClass in an API version that Kubernetes no longer serves."""
    if resource.id.version != "v1beta1":
        return
    old = profile.kubernetes_version is not None and profile.kubernetes_version < _REMOVED
    yield Hit(
        resource.at("apiVersion"),
        message="served" if old else ("default" if resource.kind == "Ingress" else "class"),
        severity="warning" if old else None,
        kind=resource.kind,
        api=f"{resource.id.group}/{resource.id.version}",
        version=profile.kubernetes_version_text,
    )


# --- Classes of Ingresses

_ANNOTATION = "kubernetes.io/ingress.class"


def ingress_class_deprecated_annotation(ingress: View, profile: Profile) -> Iterator[Hit]:
    """A class by the annotation alone."""
    annotation = ingress.annotation(_ANNOTATION)
    if annotation and "ingressClassName" not in ingress.spec and ingress.id.version == "v1":
        yield Hit(ingress.at("metadata", "annotations", _ANNOTATION).key, annotation=annotation)


def ingress_class_missing(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """No class, where several controllers may take the Ingress."""
    if ingress.ingress_class or not ingress.class_known or reading(ingress, project, profile).certain:
        return
    if any(one.default for one in project.ingress_classes) or any(one.default for one in profile.ingress_classes or ()):
        return
    controllers = {one.controller for one in project.ingress_classes if one.controller}
    controllers |= {one.controller for one in profile.ingress_classes or () if one.controller}
    several = len(controllers) > 1 or len(set(profile.ingress_controllers or ())) > 1
    if several and not project.is_patched(ingress, "spec") and not project.is_patched(ingress, "metadata"):
        names = sorted({one.resource.id.name or "" for one in project.ingress_classes})
        names = names or sorted({one.name for one in profile.ingress_classes or ()})
        names = names or sorted(profile.ingress_controllers or ())
        yield Hit(ingress.class_at, ingress=ingress.name, classes=names)


# --- Classes of ALB

_PRINTED = "ingress.k8s.alibabacloud.com/alb"
"""As one page of the documentation prints it."""


def alb_ingressclass_controller(ingress_class: View, profile: Profile) -> Iterator[Hit]:
    """A class for an AlbConfig with another controller than that of ALB."""
    written = text(ingress_class.spec.get("controller"))
    if written is None or written == ALB_CONTROLLER:
        return
    meant = mapping(ingress_class.spec.get("parameters")).get("kind") == "AlbConfig"
    if not meant and written.lower() not in (ALB_CONTROLLER, _PRINTED):
        return
    yield Hit(
        ingress_class.at("spec", "controller"),
        severity="warning" if written == _PRINTED else None,
        depends=(ingress_class.at("spec", "parameters"),),
        controller=written,
        right=ALB_CONTROLLER,
    )


def alb_ingressclass_parameters(one: IngressClassFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A class of ALB that names no AlbConfig, or one that does not exist."""
    if one.controller != ALB_CONTROLLER or project.is_patched(one, "spec"):
        return
    parameters = one.parameters
    name = one.resource.id.name
    if parameters is None or not parameters.name:
        here = one.resource.spec_at("parameters") if parameters is None else parameters.at
        yield Hit(here, ingress_class=name, config="", near="")
    elif parameters.kind != "AlbConfig" or parameters.group != "alibabacloud.com":
        written = f"{parameters.group}/{parameters.kind}"
        yield Hit(parameters.at, message="kind", severity="warning", ingress_class=name, config=written, near="")
    else:
        answer = project.find("AlbConfig", parameters.name, one)
        if answer.missing:
            names = [other.resource.id.name or "" for other in project.alb_configs]
            near = nearest(parameters.name, names)
            message, severity = "near" if near else "missing", answer.severity
            config = parameters.name
            yield Hit(parameters.at, message=message, severity=severity, ingress_class=name, config=config, near=near)


# --- The end of ingress-nginx

_CONTROLLER = "ingress-nginx"


def nginx_ingress_retired(fact: IngressFact | IngressClassFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """The class of ingress-nginx, or the first Ingress that it serves: once in a project."""
    if fact is not project.once(_place, profile):
        return
    if isinstance(fact, IngressClassFact):
        yield Hit(fact.resource.spec_at("controller"), message="class")
    else:
        yield Hit(fact.class_at)


def _place(project: Project, profile: Profile) -> IngressClassFact | IngressFact | None:
    """Where the project shows first that it uses ingress-nginx."""
    for one in project.ingress_classes:
        if _CONTROLLER in (one.controller or ""):
            return one
    declared = "nginx" in (profile.ingress_controllers or ())
    for ingress in project.ingresses:
        who = reading(ingress, project, profile)
        if who.controller == "nginx" and (who.certain or declared or ingress.ingress_class == "nginx"):
            return ingress
    return None
