"""Units of analysis: which files are deployed together, and what the kustomization that renders them adds.

A unit is a root kustomization with all that it reaches, a chart directory, a configured environment, else a
directory tree. References resolve first in the unit, then in the project.
"""

# As in records.py, annotations are not postponed.

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from kubelint_ack.knowledge import ImageChange, Patch
from kubelint_ack.kustomize import Kustomization

KIND_FOLDERS = frozenset(
    {
        "app", "apps", "autoscaling", "clusterrole", "clusterroles", "common", "config", "configmap", "configmaps",
        "configs", "cronjob", "cronjobs", "daemonset", "daemonsets", "deployment", "deployments", "hpa", "ingress",
        "ingresses", "job", "jobs", "namespace", "namespaces", "network", "networking", "networkpolicies",
        "networkpolicy", "netpol", "pdb", "policies", "pv", "pvc", "rbac", "role", "roles", "secret", "secrets",
        "service", "serviceaccount", "serviceaccounts", "services", "statefulset", "statefulsets", "storage", "svc",
        "volume", "volumes", "workload", "workloads",
    }
)  # fmt: skip
"""Names of folders that hold one kind of an application's objects, not an application of their own."""


class Render(NamedTuple):
    """How a unit takes one file: as written, or through kustomizations."""

    path: str
    namespace: str | None = None
    labels: tuple[tuple[str, str], ...] = ()


class Unit(NamedTuple):
    """Files that are deployed together."""

    name: str
    kind: Literal["kustomization", "chart", "directory", "environment"]
    renders: tuple[Render, ...]
    patches: tuple[Patch, ...] = ()
    patch_files: tuple[str, ...] = ()
    patch_targets: tuple[tuple[str, str | None, str | None], ...] = ()
    generated: tuple[tuple[str, str, tuple[str, ...] | None], ...] = ()
    opaque: bool = False
    """It takes resources that cannot be read here."""
    images: tuple[ImageChange, ...] = ()
    """Innermost kustomization first."""
    renames: bool = False
    """Names are given a prefix or suffix on the way."""

    @property
    def paths(self) -> frozenset[str]:
        """Its files."""
        return frozenset(render.path for render in self.renders)


class Closure(NamedTuple):
    """All that a kustomization reaches."""

    renders: tuple[Render, ...]
    members: tuple[Kustomization, ...]
    opaque: bool


_MOST_STEPS = 2_000
"""Kustomizations followed from one, counted again for each namespace and set of labels that reaches them."""


def closure(top: Kustomization, known: Mapping[str, Kustomization], files: frozenset[str]) -> Closure:
    """What `top` reaches: `known` are all kustomizations by directory, `files` all readable manifests.

    The namespace and labels of the outermost kustomization win, as in a rendered overlay. Loops end.
    """
    renders: dict[Render, None] = {}
    members: dict[str, Kustomization] = {}
    opaque = False
    # The same kustomization under the same namespace and labels gives the same again, however many ways lead to it.
    first: tuple[str, str | None, tuple[tuple[str, str], ...]] = (top.directory, None, ())
    visited = {first}
    stack = [first]
    while stack:
        directory, outer, outer_labels = stack.pop()
        current = top if directory == top.directory else known[directory]
        members[current.path] = current
        opaque = opaque or current.opaque
        namespace = outer or current.namespace
        labels = tuple(sorted({**current.labels, **dict(outer_labels)}.items()))
        for entry in current.entries:
            if entry in known:
                step = (entry, namespace, labels)
                if len(visited) >= _MOST_STEPS:
                    opaque = True
                elif step not in visited:
                    visited.add(step)
                    stack.append(step)
            elif entry in files:
                renders[Render(entry, namespace, labels)] = None
            else:
                opaque = True
    return Closure(tuple(sorted(renders)), tuple(members.values()), opaque)


def _inside(path: str, root: str) -> bool:
    """Whether a path is what an environment names, or below it; `*` and `?` match within a name, `**` across."""
    if not any(sign in root for sign in "*?["):
        return _below(path, root)
    own, wanted = path.split("/"), root.split("/")
    if "**" in wanted:
        return any(fnmatchcase(part, root) for part in (path, *_above(path)))
    return len(own) >= len(wanted) and all(fnmatchcase(one, other) for one, other in zip(own, wanted))


def _from_closures(
    name: str, kind: Literal["kustomization", "environment"], found: Sequence[Closure], plain: Iterable[str]
) -> Unit:
    members = {member.path: member for one in found for member in one.members}.values()
    renders = dict.fromkeys(render for one in found for render in one.renders)
    reached = {render.path for render in renders}
    renders.update(dict.fromkeys(Render(path) for path in plain if path not in reached))
    return Unit(
        name,
        kind,
        tuple(sorted(renders)),
        tuple(patch for member in members for patch in member.patches),
        tuple(sorted({file for member in members for file in member.patch_files})),
        tuple(target for member in members for target in member.patch_targets),
        tuple(sorted({generated for member in members for generated in member.generated}, key=str)),
        any(one.opaque for one in found),
        tuple(change for member in reversed(members) for change in member.images),
        any(member.renames for member in members),
    )


def _below(path: str, directory: str) -> bool:
    return directory in ("", ".") or path == directory or path.startswith(directory + "/")


def _above(path: str) -> Iterator[str]:
    """The directories that a path is in, from the nearest to the root."""
    while path:
        path = posixpath.dirname(path)
        yield path


def units(
    files: Iterable[str],
    kustomizations: Iterable[Kustomization],
    charts: Iterable[str],
    environments: Mapping[str, Sequence[str]],
    idle: Set[str] = frozenset(),
) -> list[Unit]:
    """All units, sorted by name; every file that is not idle is in at least one.

    `files` are the readable YAML and JSON files (kustomizations and patch files left out), `charts` the
    directories that hold a `Chart.yaml`, `environments` the paths of each configured environment. `idle` are files
    that neither hold an object nor may: a `package.json` beside two folders makes no tree of them.
    """
    all_files = frozenset(files)
    known = {one.directory: one for one in kustomizations}
    reached_directories = {entry for one in known.values() for entry in one.entries if entry in known}
    found: list[Unit] = []
    taken: set[str] = set()
    for name, paths in sorted(environments.items()):
        roots = [posixpath.normpath(path) for path in paths]
        inside = [one for one in known.values() if any(_inside(one.directory, root) for root in roots)]
        reached_inside = {entry for one in inside for entry in one.entries}
        tops = [one for one in inside if one.directory not in reached_inside]
        closures = [closure(one, known, all_files) for one in tops if not one.component]
        below_kustomization = [one.directory for one in inside]
        plain = [
            path
            for path in all_files
            if any(_inside(path, root) for root in roots)
            and not any(_below(path, directory) for directory in below_kustomization)
        ]
        unit = _from_closures(name, "environment", closures, plain)
        found.append(unit)
        taken |= unit.paths
        taken |= {one.directory for one in inside}
    for directory, one in sorted(known.items()):
        if one.component or directory in reached_directories or directory in taken:
            continue
        reached = closure(one, known, all_files)
        if environments and reached.renders and all(render.path in taken for render in reached.renders):
            continue
        unit = _from_closures(directory or ".", "kustomization", [reached], ())
        found.append(unit)
    for unit in found:
        taken |= unit.paths
    chart_directories = set(charts)
    rest: dict[str, list[str]] = {}
    in_chart: dict[str, list[str]] = {}
    for path in sorted(all_files - taken - idle):
        chart = next((directory for directory in _above(path) if directory in chart_directories), None)
        if chart is not None:
            in_chart.setdefault(chart, []).append(path)
        else:
            rest.setdefault(posixpath.dirname(path), []).append(path)
    found += [
        Unit(directory or ".", "chart", tuple(Render(path) for path in paths), opaque=True)
        for directory, paths in in_chart.items()
    ]
    trees: dict[str, list[str]] = {}
    for directory, paths in rest.items():
        top = [above for above in (directory, *_above(directory)) if above in rest][-1]
        # `services/` beside `deployments/`: what is kept apart by kind is deployed together.
        if posixpath.basename(top).lower() in KIND_FOLDERS:
            top = posixpath.join(posixpath.dirname(top), "*")
        trees.setdefault(top, []).extend(paths)
    # What a kustomization that cannot be read makes of the files around it, nobody knows.
    unread = {one.directory for one in known.values() if not one.readable}
    found += [
        Unit(
            directory.removesuffix("*").rstrip("/") or ".",
            "directory",
            tuple(Render(path) for path in sorted(paths)),
            opaque=any(above in unread for path in paths for above in _above(path)),
        )
        for directory, paths in trees.items()
    ]
    return sorted(found, key=lambda unit: (unit.name, unit.kind))
