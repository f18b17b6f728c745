"""What every fact builds on: references, mentions, and what link knows of any resource."""

# As in records.py, annotations are not postponed.

from typing import NamedTuple

from kubelint_ack.records import FieldPath, ResourceId, Route, Step

Labels = dict[str, str | None]


class Reference(NamedTuple):
    """A field that names another object."""

    kind: str
    name: str
    at: FieldPath
    group: str = ""
    namespace: str | None = None
    """Where it is looked up, if that is written; None: in the namespace of the resource that refers."""
    key: str | None = None
    """The key inside a ConfigMap or Secret."""
    key_at: FieldPath | None = None
    optional: bool = False
    role: str = ""
    """What it is used for: env, env-from, volume, pull-secret, scale-target …"""


class Mention(NamedTuple):
    """An IP address or host name written in a string that programs read."""

    host: str
    at: FieldPath


class ResourceFact(NamedTuple):
    """What link knows of any resource."""

    path: str
    document: int
    """Number of the document in its file, from 1."""
    prefix: Route
    id: ResourceId
    family: tuple[str, str]
    labels: Labels
    alibaba: bool
    """Whether it is plainly meant for Alibaba Cloud."""
    references: tuple[Reference, ...] = ()
    mentions: tuple[Mention, ...] = ()
    makes: tuple[tuple[str, str | None], ...] = ()
    """(kind, name) of objects that a controller will make from it; name None: any."""

    @property
    def resource(self) -> "ResourceFact":
        """Itself, so that every fact has `.resource`."""
        return self

    @property
    def name_at(self) -> FieldPath:
        """Its name."""
        return FieldPath(("metadata", "name"))

    def spec_at(self, *route: Step) -> FieldPath:
        """The place of a field of its `spec`."""
        return FieldPath(("spec", *route))
