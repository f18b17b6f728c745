"""Checks of Ingresses that ingress-nginx serves: rewrites, regular expressions, limits of addresses, snippets."""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.annotations import is_placeholder, items
from kubelint_ack.checks.ingress.annotations import NAMES
from kubelint_ack.facts import IngressFact
from kubelint_ack.paths import capture_groups, has_groups, references, regex_character
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.ingress import NGINX, Reading, annotation, is_canary, keys_of, reading, value, with_host
from kubelint_ack.records import Hit, Related, Severity, at
from kubelint_ack.values import address, cidr, version

_REWRITE, _REGEX = f"{NGINX}rewrite-target", f"{NGINX}use-regex"


def _nginx(ingress: IngressFact, project: Project, profile: Profile) -> Reading | None:
    who = reading(ingress, project, profile)
    return who if who.controller == "nginx" else None


# --- Rewrites


def nginx_rewrite_capture_missing(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A rewrite to a group that a path does not have."""
    who = reading(ingress, project, profile).controller
    if who not in ("nginx", "mse", "higress"):
        return
    found = annotation(ingress, *keys_of(who, "rewrite-target"))
    if found is None or not found[1] or "$" not in found[1] or is_canary(ingress, who):
        return
    key, target = found[0], found[1]
    numbers = [(number, piece) for number, _, piece in references(target) if number]
    for path in ingress.paths if numbers else ():
        if not path.path_known or "${" in (path.path or "") or "<" in (path.path or ""):
            continue
        groups = capture_groups(path.path or "/")
        highest, piece = max(numbers)
        if highest <= groups:
            continue
        yield Hit(
            path.at,
            message="default" if groups else "none",
            related=(Related(at("metadata", "annotations", key).slice(piece.start, piece.end), note="target"),),
            depends=(at("metadata", "annotations", key),),
            reference=piece.text,
            path=path.path or "/",
            groups=groups,
            target=target,
        )


def nginx_rewrite_drops_path(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A rewrite to one path, whatever follows the path of the rule."""
    if _REWRITE not in ingress.annotations or not _nginx(ingress, project, profile) or is_canary(ingress, "nginx"):
        return
    target = ingress.annotations[_REWRITE]
    if not target or "$" in target:
        return
    for path in ingress.paths:
        written = path.path or "/"
        if not path.path_known or path.path_type == "Exact" or written in ("/", target) or regex_character(written):
            continue
        yield Hit(
            at("metadata", "annotations", _REWRITE),
            related=(Related(path.at, note="path"),),
            target=target,
            path=written,
        )
        return


# --- Regular expressions


def nginx_regex_pathtype(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A regular expression as a path of type Exact or Prefix, which the controller's webhook refuses since 1.12."""
    who = _nginx(ingress, project, profile)
    if who is None:
        return
    running = version((profile.components or {}).get("nginx-ingress-controller"))
    severity: Severity | None = "warning"
    if any("strict-validate-path-type" in data.keys for data in project.data):
        severity = "info"
    elif running and (who.certain or running[:2] < (1, 12)):
        severity = None if running[:2] >= (1, 12) else "info"
    for path in ingress.paths:
        if path.path_type not in ("Exact", "Prefix") or not path.path or "${" in path.path or "<" in path.path:
            continue
        piece = regex_character(path.path)
        # A dot and the like are literal enough; only what is nothing but a regular expression counts.
        if piece is None:
            continue
        yield Hit(
            path.type_at,
            severity=severity,
            related=(Related(path.at.slice(piece.start, piece.end), note="character"),),
            path=path.path,
            path_type=path.path_type,
            character=piece.text,
        )


def _in_regex_mode(ingress: IngressFact) -> bool | None:
    """Whether an Ingress turns the paths of its hosts into regular expressions; None if that is unknown."""
    if ingress.annotations.get(_REGEX, "false") is None or ingress.annotations.get(_REWRITE, "") is None:
        return None
    if (ingress.annotations.get(_REGEX) or "").strip().lower() in ("true", "1", "t"):
        return True
    target = ingress.annotations.get(_REWRITE)
    return bool(target) and any((path.path or "/") != target for path in ingress.paths)


def _of_host(host: str | None, ingress: IngressFact, project: Project, profile: Profile) -> Iterator[IngressFact]:
    """The Ingresses of ingress-nginx with paths of a host, and the same class."""
    for one in with_host(host, project):
        who = reading(one, project, profile).controller
        if who in (None, "nginx") and one.ingress_class == ingress.ingress_class:
            yield one


def nginx_regex_flag_missing(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A path that is meant as a regular expression, where nothing makes it one."""
    if not _nginx(ingress, project, profile) or is_canary(ingress, "nginx"):
        return
    for path in ingress.paths:
        written = path.path or ""
        if not has_groups(written) or "${" in written or "<" in written or not path.host_known:
            continue
        # Another type is the first mistake: nginx-regex-pathtype says that.
        if path.path_type != "ImplementationSpecific":
            continue
        if any(_in_regex_mode(one) is not False for one in _of_host(path.host, ingress, project, profile)):
            continue
        yield Hit(path.at, path=written)


def nginx_regex_host_scope(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Regular expressions that take hold of paths of other Ingresses too."""
    if not _in_regex_mode(ingress) or not _nginx(ingress, project, profile) or is_canary(ingress, "nginx"):
        return
    for host in dict.fromkeys(path.host for path in ingress.paths if path.host_known):
        for one in _of_host(host, ingress, project, profile):
            if one is ingress or _in_regex_mode(one) is not False or is_canary(one, "nginx"):
                continue
            other = next((path for path in one.paths if path.host == host and path.path not in (None, "/")), None)
            if other is None:
                continue
            key = _REGEX if _REGEX in ingress.annotations else _REWRITE
            yield Hit(
                at("metadata", "annotations", key).key,
                related=(Related(other.at, of=one, note="path"),),
                host=host or "*",
                other=one.name,
            )
            break


# --- Snippets, addresses, redirects

_SNIPPETS = tuple(f"{NGINX}{name}-snippet" for name in ("configuration", "server", "auth", "modsecurity", "stream"))


def nginx_snippet(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Raw configuration in an annotation, which the controller refuses unless it is told not to."""
    keys = [key for key in _SNIPPETS if key in ingress.annotations]
    if not keys or not _nginx(ingress, project, profile):
        return
    told = any("allow-snippet-annotations" in data.keys for data in project.data)
    yield Hit(
        at("metadata", "annotations", keys[0]).key,
        severity="info" if told else None,
        related=tuple(Related(at("metadata", "annotations", key).key, note="snippet") for key in keys[1:]),
        key=keys[0],
    )


_LISTS = ("allowlist-source-range", "whitelist-source-range", "denylist-source-range")


def nginx_iplist_invalid(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A list of addresses with something else in it: the controller then refuses every request to the path."""
    for key in (NGINX + name for name in _LISTS):
        written = ingress.annotations.get(key)
        if not written:
            continue
        who = _nginx(ingress, project, profile)
        if who is None:
            return
        for part in items(written):
            item = part.bare
            if cidr(item.text) or address(item.text) or is_placeholder(item.text):
                continue
            here = at("metadata", "annotations", key)
            yield Hit(
                here.slice(item.start, item.end) if item.text else here.value,
                message="default" if item.text else "empty",
                severity=None if who.certain else "warning",
                key=key,
                item=item.text,
            )


def nginx_ssl_redirect_no_tls(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A redirect to HTTPS that needs the Ingress to have TLS, which it has not."""
    key = f"{NGINX}ssl-redirect"
    if (value(ingress, key) or "").lower() != "true" or ingress.tls or is_canary(ingress, "nginx"):
        return
    if value(ingress, f"{NGINX}force-ssl-redirect") == "true" or not _nginx(ingress, project, profile):
        return
    # TLS of the host may be written in another Ingress.
    for host in {path.host for path in ingress.paths}:
        if any(one.tls for one in with_host(host, project)):
            return
    if not project.is_patched(ingress, "spec", "tls"):
        yield Hit(at("metadata", "annotations", key).key, key=key, name=NAMES["nginx"])
