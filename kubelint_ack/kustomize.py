"""Kustomizations: what one reaches and changes, read from its file without rendering it."""

# As in records.py, annotations are not postponed.

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kubelint_ack.knowledge import ImageChange, Patch
from kubelint_ack.records import Route, Unknown
from kubelint_ack.resource import KUSTOMIZATION_FILES
from kubelint_ack.views import mapping, sequence, text


class Kustomization(NamedTuple):
    """One kustomization file. Paths are relative to the root, `/`-separated.

    https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
    """

    path: str
    directory: str
    component: bool
    entries: tuple[str, ...]
    """Files and directories of `resources`, `bases`, `components` and `crds`."""
    patch_files: tuple[str, ...]
    data_files: tuple[str, ...]
    """Files that feed generators and transformers: not manifests."""
    patches: tuple[Patch, ...]
    """Inline ones; those of files are read from the files."""
    patch_targets: tuple[tuple[str, str | None, str | None], ...]
    """(file, kind, name) of patch files whose target is written beside them."""
    namespace: str | None
    labels: dict[str, str]
    """Added to every pod."""
    generated: tuple[tuple[str, str, tuple[str, ...] | None], ...]
    opaque: bool
    """It also takes what cannot be read here: remote resources, inflated charts, plug-in generators, …"""
    images: tuple[ImageChange, ...] = ()
    renames: bool = False
    """It puts something before or behind every name: patches of an outer kustomization may use either."""
    readable: bool = True


def is_kustomization(path: str) -> bool:
    """Whether a file's name makes it a kustomization."""
    return posixpath.basename(path) in KUSTOMIZATION_FILES


def kustomization(path: str, data: Any) -> Kustomization:
    """What a kustomization file says; `data` None: it could not be read, so nobody knows what it takes."""
    content = mapping(data)
    directory = posixpath.dirname(path)
    entries, opaque = [], data is None
    for key in ("resources", "bases", "components", "crds"):
        for entry in sequence(content.get(key)):
            if not isinstance(entry, str) or _is_remote(entry):
                opaque = True
            else:
                entries.append(_join(directory, entry))
    opaque = opaque or any(content.get(key) for key in ("helmCharts", "helmChartInflationGenerator", "generators"))
    # A transformer or validator may be a plug-in that changes or adds anything.
    opaque = opaque or bool(content.get("transformers"))
    patch_files: list[str] = []
    inline: list[Patch] = []
    targets: list[tuple[str, str | None, str | None]] = []
    for entry in sequence(content.get("patchesStrategicMerge")):
        if isinstance(entry, str) and "\n" not in entry and not entry.lstrip().startswith("{"):
            patch_files.append(_join(directory, entry))
        else:
            inline.extend(_inline(entry, None, None) if isinstance(entry, str) else (Patch(None, None, ()),))
    for key in ("patches", "patchesJson6902"):
        for item in sequence(content.get(key)):
            target = mapping(mapping(item).get("target"))
            kind, name = _exact(target.get("kind")), _exact(target.get("name"))
            file, patch = text(mapping(item).get("path")), text(mapping(item).get("patch"))
            if isinstance(item, str):
                file = item
            if file:
                patch_files.append(_join(directory, file))
                if target:
                    targets.append((_join(directory, file), kind, name))
            if patch:
                inline.extend(_inline(patch, kind, name))
            elif not file:
                inline.append(Patch(kind, name, ()))
    for item in sequence(content.get("replicas")):
        name = text(mapping(item).get("name"))
        inline.extend(Patch(kind, name, (("spec", "replicas"),)) for kind in _SCALED)
    for item in sequence(content.get("replacements")):
        # A replacement may write anywhere in its targets.
        inline.extend(_replacement(item))
    data_files = [
        _join(directory, entry)
        for key in ("configurations", "transformers", "generators", "validators", "openapi")
        for entry in (sequence(content.get(key)) or mapping(content.get(key)).values())
        if isinstance(entry, str)
    ]
    data_files += [
        _join(directory, mapping(item)["path"])
        for item in sequence(content.get("replacements"))
        if text(mapping(item).get("path"))
    ]
    generated = []
    for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for item in sequence(content.get(key)):
            name = text(mapping(item).get("name"))
            opaque = opaque or not name
            if name:
                generated.append((kind, name, _generated_keys(mapping(item))))
            for source in [*sequence(mapping(item).get("files")), *sequence(mapping(item).get("envs"))]:
                if isinstance(source, str):
                    data_files.append(_join(directory, source.rpartition("=")[2]))
    namespace = content.get("namespace")
    if isinstance(namespace, Unknown):
        opaque = True
    return Kustomization(
        path,
        directory,
        content.get("kind") == "Component",
        tuple(entries),
        tuple(patch_files),
        tuple(data_files),
        tuple(inline),
        tuple(targets),
        text(namespace) or None,
        _labels(content),
        tuple(generated),
        opaque,
        tuple(_images(content)),
        bool(content.get("namePrefix") or content.get("nameSuffix")),
        data is not None,
    )


# What the field `replicas` changes: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/replicas/
_SCALED = ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")


def _is_remote(entry: str) -> bool:
    return "://" in entry or "?ref=" in entry or entry.startswith(("git@", "github.com/", "git::"))


def _join(directory: str, entry: str) -> str:
    joined = posixpath.normpath(posixpath.join(directory, entry))
    return "" if joined == "." else joined


def _exact(value: Any) -> str | None:
    """A target's kind or name if it is no regular expression (kustomize anchors and matches them as such)."""
    return value if isinstance(value, str) and value.replace("-", "").replace(".", "").isalnum() else None


def _labels(content: Mapping[str, Any]) -> dict[str, str]:
    added = [content.get("commonLabels")]
    added += [
        item.get("pairs")
        for item in map(mapping, sequence(content.get("labels")))
        if item.get("includeSelectors") is True or item.get("includeTemplates") is True
    ]
    return {key: value for one in added for key, value in mapping(one).items() if isinstance(value, str)}


def _images(content: Mapping[str, Any]) -> Iterator[ImageChange]:
    """https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/"""
    for item in sequence(content.get("images")):
        change = mapping(item)
        name = text(change.get("name"))
        if not name:
            continue
        tag, digest = change.get("newTag"), change.get("digest")
        ending = None
        if not isinstance(tag, Unknown) and not isinstance(digest, Unknown) and not change.get("tagSuffix"):
            ending = (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
        yield ImageChange(name, text(change.get("newName") or name), ending)


def _generated_keys(item: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Keys of a generated object; None where an env file or a merge brings more."""
    if sequence(item.get("envs")) or item.get("env") or item.get("behavior") in ("merge", "replace"):
        return None
    literals = [literal for literal in sequence(item.get("literals")) if isinstance(literal, str)]
    keys = [literal.partition("=")[0] for literal in literals]
    for source in sequence(item.get("files")):
        if isinstance(source, str):
            key, equals, _ = source.partition("=")
            keys.append(key if equals else posixpath.basename(key))
    return tuple(keys)


def _inline(patch: str, kind: str | None, name: str | None) -> Iterator[Patch]:
    from kubelint_ack.decode import decode

    for document in decode(patch.encode()).documents:
        yield from patch_of(document.data, kind, name)


def patch_of(data: Any, kind: str | None = None, name: str | None = None) -> Iterator[Patch]:
    """The patches that a document holds: a strategic merge patch, or a list of JSON 6902 operations.

    `kind` and `name` are those of the target written beside it; a strategic merge patch names its own otherwise.
    """
    if isinstance(data, list):
        routes: list[Route] = []
        for operation in data:
            for key in ("path", "from"):
                pointer = mapping(operation).get(key)
                if isinstance(pointer, str):
                    routes.append(_pointer_route(pointer))
        yield Patch(kind, name, tuple(routes))
    elif isinstance(data, dict):
        own_kind = kind or text(data.get("kind"))
        own_name = name or text(mapping(data.get("metadata")).get("name"))
        if "$patch" in data:
            yield Patch(own_kind, own_name, ())
        else:
            yield Patch(own_kind, own_name, tuple(_routes(data)))
    else:
        yield Patch(kind, name, ())


def _pointer_route(pointer: str) -> Route:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    route: list[str | int] = []
    for step in steps:
        if step == "-":
            break
        route.append(int(step) if step.isdigit() else step)
    return tuple(route)


def _routes(data: Mapping[str, Any]) -> Iterable[Route]:
    """Where a strategic merge patch writes: down to the first list or scalar (list items merge by key)."""
    stack: list[tuple[Route, Any]] = [((), data)]
    while stack:
        route, node = stack.pop()
        if isinstance(node, dict) and node and "$patch" not in node and len(route) < 8:
            stack.extend(((*route, key), value) for key, value in node.items())
        elif route not in (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")):
            yield route


def _replacement(item: Any) -> Iterator[Patch]:
    for target in sequence(mapping(item).get("targets")):
        select = mapping(mapping(target).get("select"))
        yield Patch(_exact(select.get("kind")), _exact(select.get("name")), ())
    if "path" in mapping(item):
        yield Patch(None, None, ())
