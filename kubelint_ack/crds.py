"""Where the schemas of custom resources are: CustomResourceDefinitions of the project, and files named for it.

They are found by their bytes before anything is decoded, since they are big and most are never needed: a document is
read when the first resource of a kind that it may define is met, once per process. What is found goes to other
processes, so it holds places and hashes, no content.
"""

# As in records.py, annotations are not postponed.

import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from kubelint_ack.decode import decode
from kubelint_ack.files import InputError, Source, Unreadable, is_below, printable, read
from kubelint_ack.records import Span
from kubelint_ack.resource import resources
from kubelint_ack.sources import collect
from kubelint_ack.views import mapping, sequence

GROUP = "apiextensions.k8s.io"
KIND = "CustomResourceDefinition"
_MARK = KIND.encode()

_KIND = re.compile(rb"""kind["']?\s*:\s*["']?([A-Za-z][A-Za-z0-9]*)""")
_SEPARATOR = re.compile(rb"(?m)^---(?=\s)")
_GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"


class Unusable(NamedTuple):
    """A file named for its schemas that gives none."""

    path: str
    problem: str
    """`neither` a CustomResourceDefinition nor the JSON Schema of a kind, `syntax`, or `unreadable`."""
    detail: str = ""
    span: Span = Span(1, 1, 1, 1)


class Piece(NamedTuple):
    """A document, or a file of JSON, that may hold schemas."""

    source: Source
    start: int
    """In bytes, as the end."""
    end: int
    digest: str
    kinds: tuple[str, ...]
    """The kinds that it may define."""


class Version(NamedTuple):
    """A version of a custom kind."""

    schema: Mapping[str, Any] | None
    """None: there is none that can be used."""
    served: bool = True
    has_status: bool = False
    """The status is a subresource: what is written of it is dropped."""
    is_foreign: bool = False
    """The schema is JSON Schema with words that structural schemas do not have."""


class Definition(NamedTuple):
    """What one document says of a custom kind."""

    group: str
    kind: str
    versions: Mapping[str, Version]
    path: str
    is_complete: bool = True
    """Whether all versions are here: False of a JSON Schema, which speaks of one."""

    def is_for(self, group: str, kind: str) -> bool:
        """Whether it speaks of a kind; the name of a file does so in small letters, with the group's first label."""
        if self.is_complete or (self.group, self.kind) == (group, kind):
            return (self.group, self.kind) == (group, kind)
        return self.kind == kind.lower() and self.group in (group, group.partition(".")[0])


class Definitions(NamedTuple):
    """All that may hold schemas."""

    pieces: tuple[Piece, ...] = ()
    by_kind: Mapping[str, tuple[int, ...]] = {}
    limit: int = 10_000_000

    def digest(self, families: Iterable[tuple[str, str]]) -> str:
        """A text that is equal as long as what may define these kinds is."""
        if not self.by_kind:
            return ""
        numbers = sorted({number for _, kind in families for number in self.by_kind.get(kind.lower(), ())})
        return " ".join(self.pieces[number].digest for number in numbers)

    def find(self, group: str, kind: str) -> list[Definition]:
        """What is said of a kind; several where the project holds several."""
        return [
            one
            for number in self.by_kind.get(kind.lower(), ())
            for one in _read(self.pieces[number], self.limit)
            if one.is_for(group, kind)
        ]


def definitions(pieces: Sequence[Piece], limit: int) -> Definitions:
    """The index over pieces."""
    by_kind: dict[str, tuple[int, ...]] = {}
    for number, piece in enumerate(pieces):
        for kind in piece.kinds:
            by_kind[kind] = (*by_kind.get(kind, ()), number)
    return Definitions(tuple(pieces), by_kind, limit)


def pieces_of(source: Source, data: bytes) -> Iterator[Piece]:
    """The documents of a file that may be CustomResourceDefinitions."""
    if _MARK not in data:
        return
    ends = [*(match.start() for match in _SEPARATOR.finditer(data)), len(data)]
    start = 0
    for end in ends:
        body = data[start:end]
        if _MARK in body:
            kinds = {match[1].decode().lower() for match in _KIND.finditer(body)} - {KIND.lower()}
            yield Piece(source, start, end, _hash(body), tuple(sorted(kinds)))
        start = end


def _hash(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()[:16]


def schema_piece(source: Source, data: bytes) -> Piece | None:
    """A file with a JSON Schema of a kind, named after it or naming it; None if it is neither."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    kinds = {kind.lower() for _, _, kind in _names(source.path, content)}
    if not kinds or not _is_schema(content):
        return None
    return Piece(source, 0, len(data), _hash(data), tuple(sorted(kinds)))


def configured(patterns: Sequence[str], root: str, limit: int) -> tuple[list[Piece], list[Unusable]]:
    """The pieces of the files and folders that the configuration names, and files that it names in vain.

    Raises InputError for what does not exist or is outside the root.
    """
    named = [os.path.normpath(os.path.join(root, one.strip("/"))) for one in patterns if not one.startswith("!")]
    for one in named:
        if not is_below(one, root):
            raise InputError(f"schemas: {printable(one)}: outside {printable(root)}; schemas must be below it")
    left_out = [one[1:] for one in patterns if one.startswith("!")]
    found: list[Piece] = []
    unusable: list[Unusable] = []
    if not named:
        return [], []
    inputs = collect(named, root=root, has_root=True, exclude=left_out, respect_gitignore=False, with_context=False)
    for source in inputs.scope:
        try:
            data = read(source, limit)
        except Unreadable as error:
            unusable.append(Unusable(source.path, "unreadable", error.detail or error.reason))
            continue
        pieces = list(pieces_of(source, data))
        if not pieces and source.path.lower().endswith(".json"):
            pieces = [one for one in [schema_piece(source, data)] if one is not None]
        found += pieces
        wrong = _wrong_syntax(source.path, data) if pieces or source.explicit else None
        if wrong is not None:
            unusable.append(wrong)
        elif not pieces and source.explicit:
            unusable.append(Unusable(source.path, "neither"))
    return found, unusable


def _wrong_syntax(path: str, data: bytes) -> Unusable | None:
    for document in decode(data).documents:
        for problem in document.problems:
            if problem.kind == "yaml-syntax":
                return Unusable(path, "syntax", str(problem.values["problem"]), problem.span)
    return None


def _is_schema(content: Mapping[str, Any]) -> bool:
    return any(key in content for key in ("properties", "$schema", "$ref", "type", "allOf", "anyOf", "oneOf"))


def _names(path: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(group, version, kind) that a schema is for. In names of files a group may be its first label alone.

    https://github.com/yannh/kubeconform#overriding-schemas-location, https://github.com/datreeio/CRDs-catalog
    """
    stated = content.get(_GROUP_VERSION_KIND)
    for one in sequence(stated) or [stated]:
        names = [mapping(one).get(key) for key in ("group", "version", "kind")]
        if all(isinstance(name, str) for name in names):
            yield names[0], names[1], names[2]  # type: ignore[misc]
    if stated:
        return
    stem = posixpath.basename(path).removesuffix(".json")
    parts = stem.split("-")
    if len(parts) > 2 and _is_version(parts[-1]):
        yield "-".join(parts[1:-1]), parts[-1], parts[0]
    kind, _, version = stem.partition("_")
    if _is_version(version):
        yield posixpath.basename(posixpath.dirname(path)), version, kind


def _is_version(text: str) -> bool:
    return re.fullmatch(r"v[0-9]+(?:(?:alpha|beta)[0-9]+)?", text) is not None


@lru_cache(maxsize=200)
def _read(piece: Piece, limit: int) -> tuple[Definition, ...]:
    """What a document defines; nothing if it is gone or changed meanwhile."""
    try:
        data = read(piece.source, limit)[piece.start : piece.end]
    except Unreadable:
        return ()
    if _hash(data) != piece.digest:
        return ()
    if piece.source.path.endswith(".json") and _MARK not in data:
        return tuple(_from_json(piece.source.path, json.loads(data)))
    documents = (one for one in decode(data, max_bytes=limit).documents if not one.failed)
    found = (
        _from_crd(resource.data, resource.id.version, piece.source.path)
        for document in documents
        for resource in resources(document.data)[0]
        if resource.family == (GROUP, KIND)
    )
    return tuple(one for one in found if one is not None)


def _from_crd(data: Mapping[str, Any], api_version: str, path: str) -> Definition | None:
    from kubelint_ack.custom_schema import opened

    spec = mapping(data.get("spec"))
    group, kind = spec.get("group"), mapping(spec.get("names")).get("kind")
    if not isinstance(group, str) or not isinstance(kind, str):
        return None
    is_old = api_version != "v1"
    shared = mapping(mapping(spec.get("validation")).get("openAPIV3Schema")) if is_old else {}
    status = mapping(spec.get("subresources")).get("status") is not None
    is_open = is_old and spec.get("preserveUnknownFields") is not False
    written = [one for one in sequence(spec.get("versions")) if isinstance(one, dict)]
    if is_old and not written and isinstance(spec.get("version"), str):
        written = [{"name": spec["version"], "served": True}]
    versions = {}
    for one in written:
        name = one.get("name")
        schema = mapping(one.get("schema")).get("openAPIV3Schema") or shared
        if isinstance(name, str):
            versions[name] = Version(
                (opened(schema) if is_open else schema) if isinstance(schema, dict) and schema else None,
                one.get("served") is not False,
                status or mapping(one.get("subresources")).get("status") is not None,
            )
    # A version whose name is known after rendering only may be any.
    is_complete = len(versions) == len(sequence(spec.get("versions"))) or (is_old and bool(versions))
    return Definition(group, kind, versions, path, is_complete)


def _from_json(path: str, content: Mapping[str, Any]) -> Iterator[Definition]:
    from kubelint_ack.custom_schema import as_structural

    structural = as_structural(content)
    version = Version(content, is_foreign=True) if structural is None else Version(structural)
    for group, name, kind in _names(path, content):
        yield Definition(group, kind, {name: version}, path, is_complete=False)
