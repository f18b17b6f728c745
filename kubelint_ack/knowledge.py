"""What is known about a unit beside its objects: what may be missing from the input, and what a render changes."""

# As in records.py, annotations are not postponed.

from typing import NamedTuple

from kubelint_ack.profile import External, Namespace
from kubelint_ack.records import Route


def split_image(reference: str) -> tuple[str, str]:
    """The name of an image, and its tag and digest."""
    end = reference.find("@") if "@" in reference else len(reference)
    colon = reference.find(":", reference.rfind("/", 0, end) + 1, end)
    end = colon if colon >= 0 else end
    return reference[:end], reference[end:]


class Patch(NamedTuple):
    """A kustomize patch: which objects it changes (None: any), and where."""

    kind: str | None
    name: str | None
    routes: tuple[Route, ...]
    """Empty: anywhere."""

    def touches(self, route: Route) -> bool:
        """Whether it may change a field, or something in it."""
        if not self.routes or not route:
            return True
        return any(all(one == other for one, other in zip(touched, route)) for touched in self.routes)


class ImageChange(NamedTuple):
    """How a kustomization rewrites the images of one name."""

    name: str
    new_name: str | None
    """None: unknown."""
    ending: str | None
    """The `:tag` or `@digest` in place of the written one; empty: that stays; None: unknown."""


class Broken(NamedTuple):
    """A document that is neither YAML nor a template: it can only define what its text names."""

    kinds: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    """Each `key: value` in its text."""


class Knowledge(NamedTuple):
    """What is known about the completeness of a unit."""

    complete: bool | tuple[str, ...] = False
    """True, or the kinds of which the input holds every object."""
    hidden: frozenset[str] = frozenset()
    """Kinds that documents which could not be checked may define; `*`: any."""
    broken: tuple[Broken, ...] = ()
    externals: tuple[External, ...] = ()
    """Objects declared to live in the cluster."""
    patches: tuple[Patch, ...] = ()
    generated: tuple[tuple[str, str, tuple[str, ...] | None], ...] = ()
    """(kind, name, keys or None) of generated ConfigMaps and Secrets."""
    rendered: bool = False
    """One kustomization takes all of it."""
    images: tuple[ImageChange, ...] = ()
    """Innermost kustomization first."""
    renames: bool = False
    """Names are given a prefix or suffix on the way: a patch may use either form."""
    namespaces: tuple[Namespace, ...] = ()
    """Declared to be in the cluster."""

    def is_patched(self, kind: str, name: str | None, route: Route) -> bool:
        """Whether a patch may change a field (of an empty route: any field) of the object of that kind and name."""
        return any(
            patch.kind in (None, kind)
            and (patch.name in (None, name) or (self.renames and (name or "") in (patch.name or "")))
            and patch.touches(route)
            for patch in self.patches
        )

    def changes_image(self, written: str) -> bool:
        """Whether a kustomization gives an image another name, tag or digest."""
        return any(change.name == split_image(written)[0] for change in self.images)
