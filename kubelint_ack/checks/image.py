"""Checks of images: how they are named, and whether a cluster may pull them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubelint_ack.facts import AccountFact, WorkloadFact
from kubelint_ack.images import acr, image
from kubelint_ack.profile import AcrCredentialHelper, Profile
from kubelint_ack.project import Project
from kubelint_ack.records import Hit, Related, Route
from kubelint_ack.views import Workload


def image_latest_tag(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Images without tag and digest, or with the tag `latest`, as the kustomization renders them."""
    for container in workload.containers:
        if not container.image or _is_patched(workload, project, container.at.route):
            continue
        rendered = project.image(container.image)
        found = image(rendered)
        if rendered is None or found is None or found.digest or _is_placeholder(rendered):
            continue
        if found.tag in (None, "latest"):
            yield Hit(
                container.image_at,
                message="latest" if found.tag else "default",
                container=container.name,
                image=rendered,
            )


def _is_patched(workload: WorkloadFact, project: Project, container: Route) -> bool:
    return project.is_patched(workload, *container, "image")


# --- Invalid references

# What people write where a name is to be filled in, besides what is unknown before rendering.
_MARKS = r"[<>{}\[\]$%*…]|\.\.\.|@@|__|[^\x00-\x7f]"
_WORDS_TO_FILL_IN = (
    r"(?<![A-Za-z0-9])(?:[A-Z0-9]+(?:_[A-Z0-9]+)+"
    r"|X{3,}|IMAGE|TAG|VERSION|REGISTRY|REPO|REPOSITORY|PROJECT|NAMESPACE|NAME|YOUR|CHANGEME|TODO)(?![A-Za-z0-9])"
)

_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = "sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}"


def image_reference_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Image references that the kubelet cannot read, each with the part that is wrong."""
    for container in workload.containers:
        written = container.image
        if written is None or image(written) or _is_placeholder(written):
            continue
        # OpenShift fills these in (https://docs.okd.io/latest/openshift_images/triggering-updates-on-imagestream-changes.html).
        if not written.strip() and "image.openshift.io/triggers" in workload.annotations:
            continue
        message, start, end = _wrong_part(written)
        at = container.at("image")
        yield Hit(
            at.slice(start, end) if start < end else at,
            message=message,
            container=container.label,
            image=written,
            part=written[start:end],
        )


def _is_placeholder(text: str) -> bool:
    """Whether a reference is one that somebody is to fill in by hand."""
    return bool(re.search(_MARKS, text) or re.search(_WORDS_TO_FILL_IN, text))


def _wrong_part(text: str) -> tuple[str, int, int]:
    """Which wording fits a reference that is none, and the part that it speaks of."""
    if not text.strip():
        return "empty", 0, 0
    blank = re.search(r"\s+", text)
    if blank:
        return "blank", *blank.span()
    scheme = re.match("[A-Za-z][A-Za-z0-9+.-]*://", text)
    if scheme:
        return "scheme", *scheme.span()
    name, at_sign, digest = text.partition("@")
    if at_sign and not re.fullmatch(_DIGEST, digest):
        return "digest", len(name), len(text)
    _, colon, tag = name[name.rfind("/") + 1 :].partition(":")
    end = len(name) - len(colon) - len(tag)
    if colon and not re.fullmatch(_TAG, tag):
        return "tag", end, len(name)
    if end > 255:
        return "length", 0, end
    start = 0
    for number, part in enumerate(name[:end].split("/")):
        is_host = number == 0 and "/" in name[:end] and image(f"{part}/a") is not None
        if not is_host and not _is_path(part):
            message = "case" if _is_path(part.lower()) else "default"
            # An empty part is shown by the slashes around it.
            return message, *((start, start + len(part)) if part else (max(start - 1, 0), min(start + 1, len(text))))
        start += len(part) + 1
    return "hexadecimal", 0, len(name)


def _is_path(part: str) -> bool:
    return image(f"host/{part}:tag") is not None


# --- Alibaba Cloud Container Registry


def acr_personal_new_needs_pull_secret(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Images of new personal instances in a pod that gets no pull secret."""
    hosts = [
        (container, found.registry)
        for container in workload.containers
        for found in (image(project.image(container.image or "")),)
        if found and _is_personal(found.registry) and not _is_patched(workload, project, container.at.route)
    ]
    pod = workload.containers[0].at.route[:-2] if workload.containers else ()
    if not hosts or workload.pull_secrets or project.is_patched(workload, *pod, "imagePullSecrets"):
        return
    if workload.service_account is None or project.is_patched(workload, *pod, "serviceAccountName"):
        return
    answer = project.find("ServiceAccount", workload.service_account, workload)
    account = answer.fact if isinstance(answer.fact, AccountFact) else None
    if account is None and workload.service_account != "default":
        # It is made elsewhere, perhaps with a pull secret.
        return
    if account and (account.pull_secrets or project.is_patched(account, "imagePullSecrets")):
        return
    first, host = hosts[0]
    helper = profile.acr_credential_helper != AcrCredentialHelper()
    helper = helper or "aliyun-acr-credential-helper" in (profile.components or {})
    related = [Related(container.image_at) for container, _ in hosts[1:4]]
    if account:
        related.append(Related(account.resource.name_at, of=account, note="account"))
    yield Hit(
        first.image_at,
        message="helper" if helper else "default",
        related=tuple(related),
        host=host,
        kind=workload.kind,
        workload=workload.resource.id.name,
        account=workload.service_account,
    )


def _is_personal(registry: str) -> bool:
    found = acr(registry)
    return found is not None and found.kind == "personal-new"
