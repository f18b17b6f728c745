"""The targets of a run: which files are deployed together, with which profile, and what is known of them."""

# As in records.py, annotations are not postponed.

import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kubelint_ack.config import Config
from kubelint_ack.decode import decode
from kubelint_ack.existence import Existence
from kubelint_ack.files import Source, Unreadable, read
from kubelint_ack.knowledge import Knowledge, Patch
from kubelint_ack.kustomize import Kustomization, is_kustomization, kustomization, patch_of
from kubelint_ack.profile import EMPTY, Profile, profile
from kubelint_ack.project import Member, Project
from kubelint_ack.scan import ScanRecord
from kubelint_ack.units import Unit

CHART_FILE = "Chart.yaml"


def layout(sources: Mapping[str, Source], config: Config) -> tuple[list[Kustomization], list[str], dict[str, str]]:
    """The kustomizations, the chart directories, and the files that are no manifests of their own, with their role."""
    found: list[Kustomization] = []
    charts: list[str] = []
    roles: dict[str, str] = {}
    for path, source in sources.items():
        if posixpath.basename(path) == CHART_FILE:
            charts.append(posixpath.dirname(path))
        elif is_kustomization(path):
            try:
                documents = decode(read(source, config.max_file_size)).documents
            except Unreadable:
                found.append(kustomization(path, None))
                continue
            if documents:
                found.append(kustomization(path, documents[0].data))
    for one in found:
        roles.update(dict.fromkeys(one.data_files, "data"))
    for one in found:
        roles.update(dict.fromkeys(one.patch_files, "patch"))
    entries = {entry for one in found for entry in one.entries}
    return found, charts, {path: role for path, role in roles.items() if path in sources and path not in entries}


class Environment(NamedTuple):
    """A configured environment, or all that is outside of one."""

    paths: tuple[str, ...]
    profiles: tuple[tuple[str, int], ...]
    """(version label, index) of each profile."""
    complete: bool | tuple[str, ...]


BASE = ""
"""The name under which files outside every configured environment are."""


def profiles_of(config: Config, versions: Sequence[str]) -> tuple[tuple[Profile, ...], dict[str, Environment]]:
    """The distinct profiles of the run, and for each environment (`BASE`: none) which of them it has."""
    distinct: list[Profile] = []

    def index(data: Mapping[str, Any]) -> int:
        made = profile(data) if data else EMPTY
        if made not in distinct:
            distinct.append(made)
        return distinct.index(made)

    def several(data: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
        if not versions:
            return (("", index(data)),)
        labels = versions if len(versions) > 1 else ("",)
        return tuple((label, index({**data, "kubernetesVersion": version})) for label, version in zip(labels, versions))

    found = {BASE: Environment((), several(config.cluster.data), config.complete)}
    for one in config.environments:
        found[one.name] = Environment(one.paths, several(one.cluster.data), one.complete)
    return tuple(distinct), found


class Target(NamedTuple):
    """A unit with its profile and one Kubernetes version."""

    name: str
    """The environment and the version, as far as they distinguish; empty where there is nothing to distinguish."""
    overlay: str
    """The same, with the directory of a kustomization that shares files with other units for an environment."""
    unit: Unit
    profile: int
    """Index into the distinct profiles."""
    complete: bool | tuple[str, ...]


def targets_of(all_units: Sequence[Unit], environments: Mapping[str, Environment]) -> list[Target]:
    """Every unit with each profile of its environment."""
    found = []
    units_of = Counter(path for unit in all_units for path in unit.paths)
    for unit in all_units:
        name = unit.name if unit.kind == "environment" else BASE
        shares = unit.kind == "kustomization" and any(units_of[path] > 1 for path in unit.paths)
        environment = environments[name]
        for version, number in environment.profiles:
            label, overlay = (
                "@".join(part for part in (one, version) if part) for one in (name, unit.name if shares else name)
            )
            found.append(Target(label, overlay, unit, number, environment.complete))
    return found


_IDENTITY = (("metadata", "name"), ("metadata", "namespace"))


def knowledge_of(
    unit: Unit,
    complete: bool | tuple[str, ...],
    own: Profile,
    records: Mapping[str, ScanRecord],
    sources: Mapping[str, Source],
    limit: int,
) -> Knowledge:
    """What is known about the completeness of a unit."""
    hidden = {kind for path in unit.paths for kind in records[path].hidden}
    broken = tuple(one for path in sorted(unit.paths) for one in records[path].broken)
    if unit.opaque:
        hidden.add("*")
    patches: list[Patch] = list(unit.patches)
    for file in unit.patch_files:
        source = sources.get(file)
        aims = [(kind, name) for path, kind, name in unit.patch_targets if path == file] or [(None, None)]
        if source is None:
            patches.extend(Patch(kind, name, ()) for kind, name in aims)
            continue
        try:
            documents = decode(read(source, limit)).documents
        except Unreadable:
            patches.extend(Patch(kind, name, ()) for kind, name in aims)
            continue
        patches.extend(
            patch for document in documents for kind, name in aims for patch in patch_of(document.data, kind, name)
        )
    # A patch that gives an object another name or namespace: what it will be called is not looked up.
    hidden.update(patch.kind or "*" for patch in patches for route in patch.routes if route[:2] in _IDENTITY)
    return Knowledge(
        complete,
        frozenset(hidden),
        broken,
        tuple(own.externals or ()),
        tuple(patches),
        unit.generated,
        unit.kind == "kustomization",
        unit.images,
        unit.renames,
        tuple(own.namespaces or ()),
    )


def project_of(
    target: Target, knowledge: Knowledge, records: Mapping[str, ScanRecord], everywhere: Existence
) -> Project | None:
    """The index over the facts of a target; None if it holds no resource."""
    if not any(records[path].resources for path in target.unit.paths):
        return None
    members = [
        Member(records[render.path].facts, render.namespace, dict(render.labels)) for render in target.unit.renders
    ]
    return Project(members, knowledge, everywhere)
