"""The small immutable records that every stage passes on.

Everything here is a plain tuple of plain values, so that a record can be pickled to another process,
written to the cache and compared for equality without further thought.
"""

# Annotations are not postponed in modules of many records: NamedTuple would compile the text of each at start-up.

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""Worst first; the index in this tuple is the order in which severities compare."""

Step = str | int
Route = tuple[Step, ...]
"""The way from the top of a resource to a node: mapping keys and list indices."""


class Unknown:
    """A value that nobody can know before a template is rendered (`{{ .Values.x }}`, `${X}`, `!Ref x`).

    It stands in the decoded tree in place of the scalar. Views give `None` for it; a hit that points at one is
    dropped, because no rule may call an unknown value wrong.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Unknown({self.text!r})"


class FieldPath(NamedTuple):
    """A symbolic place in a resource; it becomes a span in `decode.py`, once, at the end of scan.

    `part` says what of the field is meant: `field` is the key and, where it fits on the key's line, its scalar;
    `key` the key alone; `value` the value alone (its first line). `start` and `end`, when not negative, narrow
    a `value` to a slice of the scalar's decoded text. The route may name a field that is absent: its place is
    the key of the nearest existing parent.
    """

    route: Route
    part: Literal["field", "key", "value"] = "field"
    start: int = -1
    end: int = -1

    @property
    def key(self) -> "FieldPath":
        """The key of this field alone."""
        return FieldPath(self.route, "key")

    @property
    def value(self) -> "FieldPath":
        """The value of this field alone."""
        return FieldPath(self.route, "value")

    def slice(self, start: int, end: int) -> "FieldPath":
        """A piece of this field's scalar: offsets into its decoded text, end exclusive."""
        return FieldPath(self.route, "value", start, end)


def at(*route: Step) -> FieldPath:
    """The field path with this route."""
    return FieldPath(route)


def field_text(route: Route) -> str:
    """The route as people write it: `spec.ports[0].targetPort`, `metadata.annotations["a.b/c"]`."""
    text = ""
    for step in route:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "a").replace("-", "a").isalnum():
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


class Span(NamedTuple):
    """Lines and columns from 1, in Unicode code points, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Place(NamedTuple):
    """A field path made concrete.

    `stable` is the field with every list index replaced by the item's name where it has one: fingerprints use it.
    `anchor` is where the value was written if the path passes a YAML alias; the span is then the alias.
    """

    span: Span
    field: str
    stable: str
    anchor: Span | None = None


class ResourceId(NamedTuple):
    """Which object of which API: the identity of a resource, unique neither over overlays nor over files."""

    group: str
    version: str
    kind: str
    namespace: str | None
    name: str | None
    """None when the name is absent, generated or unknown."""

    @property
    def label(self) -> str:
        """`Deployment shop/web`, `Service web`, `Job`."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}" if self.name else self.kind


class Related(NamedTuple):
    """Another end of a hit: a field of this resource, or of the resource of another fact."""

    at: FieldPath
    of: Any = None
    """What the path belongs to: a fact (anything with `.resource`, a `ResourceFact`), or a cluster that is declared.

    None: what the hit is about.
    """
    note: str = ""
    """The entry under `notes` in the rule file that words it; empty: the resource's label."""


class Hit:
    """What a check yields: a place, and the values that its message needs. No words, no line numbers."""

    __slots__ = ("at", "depends", "message", "related", "severity", "values")

    def __init__(
        self,
        at: FieldPath,
        *,
        message: str = "default",
        severity: Severity | None = None,
        related: tuple[Related, ...] = (),
        depends: tuple[FieldPath, ...] = (),
        **values: Any,
    ) -> None:
        self.at = at
        self.message = message
        """The entry under `message` in the rule file."""
        self.severity = severity
        """Lower than the rule's own, or None for the rule's own."""
        self.related = related
        self.depends = depends
        """Further fields of the resource that decide it (those of `at` and `related` do anyway).

        What a kustomize patch may change is not judged in the base: of a rule that reads one resource such a hit is
        dropped. Rules that read the project ask `Project.is_patched`.
        """
        self.values: Mapping[str, Any] = values


class RelatedPlace(NamedTuple):
    """A related location, located."""

    path: str
    place: Place
    resource: ResourceId | None
    note: str = ""


class LocatedHit(NamedTuple):
    """A hit with its places made concrete: what scan and link hand to the engine."""

    rule: str
    path: str
    place: Place
    resource: ResourceId | None
    message: str
    severity: Severity
    values: dict[str, Any]
    related: tuple[RelatedPlace, ...] = ()
    profiles: tuple[int, ...] = ()
    """The distinct profiles (their indices) under which it holds; empty: it does not depend on the profile."""
    routes: tuple[Route, ...] = ()
    """The fields of its resource that decide it; empty where no patch can change that."""


class Suppressed(NamedTuple):
    """Why a finding does not count."""

    by: str
    """`comment`, `annotation`, or `<tool> annotation` for another tool's."""
    reason: str
    path: str
    line: int


class Finding(NamedTuple):
    """A located hit with all that a report needs except words."""

    rule: str
    code: str
    severity: Severity
    path: str
    place: Place
    resource: ResourceId | None
    message: str
    values: dict[str, Any]
    related: tuple[RelatedPlace, ...]
    targets: tuple[str, ...] = ()
    """Names of the targets in which it holds, where its file belongs to several; else empty."""
    suppressed: Suppressed | None = None
    partial: bool = False
    """Whether its file belongs to further targets, in which it does not hold."""

    @property
    def fingerprint(self) -> str:
        """`kubelintAck/resource/v1`: 16 hex digits that survive moving the file and reformatting it.

        SHA-256 over rule code, kind and group, namespace, name, and field path with list indices replaced by names.
        Without a resource (a syntax error, a profile) the path of the file stands for it.
        """
        import hashlib

        one = self.resource
        identity = [f"{one.kind}.{one.group}", one.namespace or "", one.name or ""] if one else [self.path]
        text = "\0".join([self.code, *identity, self.place.stable])
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


LedgerStatus = Literal["checked", "partly", "not-checked"]


class DocumentEntry(NamedTuple):
    """One document of a file in the ledger."""

    number: int
    """Its place among the documents of the file, from 1."""
    line: int
    status: LedgerStatus
    reason: str = ""
    """A reason code (`kustomize-patch`, `template` …); empty when checked."""
    detail: str = ""
    kind: str = ""
    name: str = ""


class FileEntry(NamedTuple):
    """One file in the ledger."""

    path: str
    status: LedgerStatus
    reason: str = ""
    detail: str = ""
    documents: tuple[DocumentEntry, ...] = ()
