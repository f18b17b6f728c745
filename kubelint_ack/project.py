"""The index over the facts of one target: what project rules ask, and how sure the answer is.

Unknown is not absent: an object may live outside the input, in a document that could not be checked, or be made
by a controller. Every question is answered found, missing or unknown (architecture, house rule 4).
"""

# As in records.py, annotations are not postponed.

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple, TypeVar

from kubelint_ack.existence import FURTHER_LABELS, Existence, Pods, known_labels, same_namespace
from kubelint_ack.facts import (
    AccountFact,
    AlbConfigFact,
    BudgetFact,
    ClaimFact,
    DataFact,
    Facts,
    GatewayClassFact,
    GatewayFact,
    GrantFact,
    IngressClassFact,
    IngressFact,
    Mention,
    MonitorFact,
    PodNetworkFact,
    PolicyFact,
    Reference,
    ResourceFact,
    RouteFact,
    ScalerFact,
    ServiceFact,
    StorageClassFact,
    VolumeFact,
    WorkloadFact,
)
from kubelint_ack.kinds import (
    CLUSTER_SCOPED,
    WORKLOAD,
    WORKLOAD_KINDS,
    adds_labels,
    is_built_in,
    known_as,
    may_make_objects,
)
from kubelint_ack.knowledge import Knowledge, split_image
from kubelint_ack.records import Route, Severity, Unknown
from kubelint_ack.values import Selector, matches, nearest, selector_text


class Answer(NamedTuple):
    """What is known of an object that something names."""

    state: Literal["found", "missing", "unknown"]
    fact: Any = None
    """The object's fact where it was found in the input."""
    certain: bool = False
    """For missing: the input is declared complete, so the rule's own severity applies."""
    unseen: bool = False
    """For unknown: only because the unit holds no object of that kind in that namespace."""

    @property
    def found(self) -> bool:
        """It exists."""
        return self.state == "found"

    @property
    def missing(self) -> bool:
        """It may be called missing, with `severity`."""
        return self.state == "missing"

    @property
    def severity(self) -> Severity | None:
        """For a hit about a missing object: a warning at most, unless that is certain."""
        return None if self.certain else "warning"


class Selected(NamedTuple):
    """The workloads whose pods a selector selects."""

    workloads: tuple[WorkloadFact, ...]
    state: Literal["found", "missing", "unknown"]
    """missing: it selects nothing, as far as that can be known."""
    certain: bool = False
    exhaustive: bool = True
    """False where further, unknown workloads may be selected too."""
    unseen: bool = False
    """For unknown: only because the unit holds no workload in that namespace."""

    @property
    def missing(self) -> bool:
        """It selects nothing."""
        return self.state == "missing"

    @property
    def severity(self) -> Severity | None:
        """For a hit about nothing selected."""
        return None if self.certain else "warning"


class Member(NamedTuple):
    """A file in a unit."""

    facts: Facts
    namespace: str | None = None
    """Set on every resource by the kustomization that is rendered."""
    labels: Mapping[str, str] = {}
    """Added to every pod by it."""


Made = TypeVar("Made")


class Project:
    """The facts of one target."""

    def __init__(self, members: Sequence[Member], knowledge: Knowledge, everywhere: Existence) -> None:
        self._knowledge = knowledge
        self._everywhere = everywhere
        self._namespaces: dict[int, str | None] = {}
        self._added_labels: dict[int, Mapping[str, str]] = {}
        self._by_name: dict[tuple[str, str], list[tuple[str | None, Any]]] = {}
        self._counts: dict[tuple[str, str | None], int] = {}
        self.services: list[ServiceFact] = []
        self.workloads: list[WorkloadFact] = []
        self.data: list[DataFact] = []
        self.ingresses: list[IngressFact] = []
        self.policies: list[PolicyFact] = []
        self.scalers: list[ScalerFact] = []
        self.budgets: list[BudgetFact] = []
        self.monitors: list[MonitorFact] = []
        self.accounts: list[AccountFact] = []
        self.claims: list[ClaimFact] = []
        self._claims: dict[tuple[str, int, Route], list[ClaimFact]] = {}
        """By path, document and place in it: a record that came from another process holds copies of its resources."""
        self.storage_classes: list[StorageClassFact] = []
        self.volumes: list[VolumeFact] = []
        self.pod_networks: list[PodNetworkFact] = []
        self.ingress_classes: list[IngressClassFact] = []
        self.alb_configs: list[AlbConfigFact] = []
        self.gateway_classes: list[GatewayClassFact] = []
        self.gateways: list[GatewayFact] = []
        self.routes: list[RouteFact] = []
        self.grants: list[GrantFact] = []
        self.facts: list[Any] = []
        """The fact of every resource, and of each further pod template of one, in the order of files."""
        self.resources: list[ResourceFact] = []
        """Every resource, whatever its kind, once."""
        self._makes_pods_elsewhere = False
        self._once: dict[tuple[Any, ...], Any] = {}
        """What queries have worked out, by who makes it and of which objects."""
        self._made: set[tuple[str, str | None]] = set()
        """(kind, name) of what controllers will make; name None: any."""
        self._pods = Pods()
        for member in members:
            self._add(member)
        for workload in self.workloads:
            self._pods.add(workload, self.pod_labels(workload), vague=self._labels_patched(workload))

    def _add(self, member: Member) -> None:
        facts = member.facts
        for name, group in zip(Facts._fields, facts):
            if name != "resources":
                getattr(self, name).extend(group)
        for claim in facts.claims:
            own = claim.resource
            self._claims.setdefault((own.path, own.document, own.prefix), []).append(claim)
        for fact in facts.all():
            resource: ResourceFact = fact.resource
            if isinstance(fact, ClaimFact) and fact.template:
                continue
            self.facts.append(fact)
            if isinstance(fact, WorkloadFact) and fact.further:
                self._namespaces[id(resource)] = member.namespace or resource.id.namespace
                if member.labels:
                    self._added_labels[id(resource)] = member.labels
                continue
            self.resources.append(resource)
            self._made.update(resource.makes)
            kind = known_as(resource.family)
            namespace = None if kind in CLUSTER_SCOPED else (member.namespace or resource.id.namespace)
            self._namespaces[id(resource)] = namespace
            if resource.id.name:
                self._by_name.setdefault((kind, resource.id.name), []).append((namespace, fact))
            self._counts[(kind, namespace)] = self._counts.get((kind, namespace), 0) + 1
            if isinstance(fact, WorkloadFact):
                self._counts[(WORKLOAD, namespace)] = self._counts.get((WORKLOAD, namespace), 0) + 1
                if member.labels:
                    self._added_labels[id(resource)] = member.labels
                if adds_labels(resource.family):
                    self._makes_pods_elsewhere = True
            elif isinstance(fact, ResourceFact) and may_make_objects(resource.family):
                self._makes_pods_elsewhere = True

    def namespace(self, fact: Any) -> str | None:
        """The namespace of a fact's resource in this render; None: the namespace that is given when it is applied."""
        return self._namespaces.get(id(fact.resource), fact.resource.id.namespace)

    def once(self, make: Callable[..., Made], *about: object) -> Made:
        """What `make` makes of this project and facts of it or a profile: the first who asks has it made."""
        key = (make, *map(id, about))
        if key not in self._once:
            self._once[key] = make(self, *about)
        made: Made = self._once[key]
        return made

    def namespace_labels(self, namespace: str | None) -> Mapping[Any, Any]:
        """The labels of a namespace as selectors are matched with them, by its object here or as declared.

        Every namespace has its name as a label
        (https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name).
        """
        if namespace is None:
            return FURTHER_LABELS
        own = {"kubernetes.io/metadata.name": namespace}
        known = self._by_name.get(("Namespace", namespace)) or self._everywhere.find("Namespace", namespace)
        if known:
            first = known[0][1].resource.labels
            sure = all(fact.resource.labels == first for _, fact in known)
            if sure and not any(self.is_patched(fact, "metadata", "labels") for _, fact in known):
                return {**known_labels(first), **own}
            return {**own, **FURTHER_LABELS}
        for declared in self._knowledge.namespaces:
            if declared.name == namespace and declared.labels is not None:
                return {**declared.labels, **own}
        return own if self.is_complete("Namespace") else {**own, **FURTHER_LABELS}

    def is_patched(self, fact: Any, *route: str | int) -> bool:
        """Whether a kustomize patch may change the field (or any field) of a fact's resource in this render."""
        return self._knowledge.is_patched(fact.resource.family[1], fact.resource.id.name, route)

    def pod_labels(self, workload: WorkloadFact) -> Mapping[str, str | Unknown]:
        """Labels of a workload's pods in this render."""
        own, added = workload.labels, self._added_labels.get(id(workload.resource), {})
        # What overwrites a label overwrites selectors that ask for it as well: either value may be meant.
        overwritten = {key: None for key, value in added.items() if own.get(key, value) != value}
        return known_labels({**own, **added, **overwritten})

    def objects(self, kind: str, namespace: str | None) -> int:
        """How many objects of a kind the unit holds in a namespace (`WORKLOAD`: that make pods)."""
        return self._counts.get((kind, None if kind in CLUSTER_SCOPED else namespace), 0)

    def may_hide(self, kind: str) -> bool:
        """Whether a document that could not be read may define an object of a kind."""
        hidden = self._knowledge.hidden
        return "*" in hidden or kind in hidden or any(kind in one.kinds for one in self._knowledge.broken)

    def find(self, kind: str, name: str, near: Any, namespace: str | None = None) -> Answer:
        """The object of that kind and name in the namespace of `near` (a fact), or in the one written."""
        wanted = None if kind in CLUSTER_SCOPED else namespace or self.namespace(near)
        uncertain = False
        for where, fact in self._own_file_first(kind, name, near):
            same = same_namespace(where, wanted)
            if same:
                return Answer("found", fact)
            uncertain = uncertain or same is None
        for where, fact in self._everywhere.find(kind, name):
            if kind in CLUSTER_SCOPED or same_namespace(where, wanted) is not False:
                return Answer("found", fact)
        if self._exists_elsewhere(kind, name, wanted):
            return Answer("found")
        if uncertain:
            return Answer("unknown")
        return self._absence(kind, wanted, (("name", name),))

    def resolve(self, reference: Reference, near: Any) -> Answer:
        """The object that a reference of `near` names."""
        return self.find(reference.kind, reference.name, near, reference.namespace)

    def named(self, kind: str, name: str, near: Any, *, surely: bool = True) -> Iterator[Any]:
        """Facts of that kind and name in the same namespace as `near`, in this unit, those of its file first.

        With `surely` false also those of which it cannot be known.
        """
        for where, fact in self._own_file_first(kind, name, near):
            same = kind in CLUSTER_SCOPED or same_namespace(where, self.namespace(near))
            if same or (same is None and not surely):
                yield fact

    def _own_file_first(self, kind: str, name: str, near: Any) -> Sequence[tuple[str | None, Any]]:
        """What has that kind and name in this unit: where files are variants of each other, the own one is meant."""
        known = self._by_name.get((kind, name), [])
        path = near.resource.path
        return sorted(known, key=lambda one: one[1].resource.path != path) if len(known) > 1 else known

    @property
    def all_ingresses(self) -> Sequence[IngressFact]:
        """The Ingresses of the whole run: also those of units that may belong to other clusters."""
        return self._everywhere.ingresses

    def named_elsewhere(self, kind: str, name: str, near: Any) -> Iterator[Any]:
        """Facts of that kind and name in any unit of the run that write the same namespace as `near` has."""
        own = self.namespace(near)
        for where, fact in self._everywhere.find(kind, name):
            if own is not None and where == own:
                yield fact

    def together(self, one: ResourceFact, other: ResourceFact) -> bool:
        """Whether two resources are surely applied together; files of a directory may be variants."""
        return self._knowledge.rendered or one.path == other.path

    def beside(self, one: ResourceFact, other: ResourceFact) -> bool:
        """Whether two resources, if nothing else of their names is there, may be taken to be applied together.

        They are, in one directory; the directories of a tree may be examples or stages that share names.
        """
        return self.together(one, other) or posixpath.dirname(one.path) == posixpath.dirname(other.path)

    def anywhere(self, kind: str, name: str) -> list[Any]:
        """Facts of that kind and name in the whole run: also those of units that may belong to other clusters."""
        return [fact for _, fact in self._everywhere.find(kind, name)]

    def first_definition(self, resource: ResourceFact) -> ResourceFact | None:
        """The earlier definition of the same object that is applied together with this one; None: this is the first.

        Together are documents of one file, and all that a kustomization takes; files of a directory may be variants.
        """
        for where, fact in self._by_name.get((known_as(resource.family), resource.id.name or ""), ()):
            other: ResourceFact = fact.resource
            if other is resource:
                return None
            if other.family == resource.family and where == self.namespace(resource) and self.together(other, resource):
                return other
        return None

    def claims_of(self, fact: Any) -> Iterator[ClaimFact]:
        """The claims that a resource holds: a PersistentVolumeClaim itself, or a StatefulSet's templates."""
        resource: ResourceFact = fact.resource
        yield from self._claims.get((resource.path, resource.document, resource.prefix), ())

    def governed_by(self, service: ServiceFact) -> Iterator[WorkloadFact]:
        """The StatefulSets that name a Service as theirs, in this unit or elsewhere in the run."""
        wanted = self.namespace(service)
        for workload in self._everywhere.governed.get(service.name or "", ()):
            if same_namespace(self.namespace(workload), wanted) is not False:
                yield workload

    def image(self, written: str) -> str | None:
        """An image reference as it is in this render; None if it cannot be known."""
        name, ending = split_image(written)
        for change in self._knowledge.images:
            if change.name == name:
                if change.new_name is None or change.ending is None:
                    return None
                name, ending = change.new_name, change.ending or ending
        return name + ending

    def added_keys(self, kind: str, name: str) -> tuple[str, ...] | None:
        """Keys that generators and controllers give to a ConfigMap or Secret; None if they cannot be known."""
        if (kind, name) in self._made or (kind, None) in self._made:
            return None
        found: list[str] = []
        for generated_kind, generated_name, keys in self._knowledge.generated:
            if (generated_kind, generated_name) == (kind, name):
                if keys is None:
                    return None
                found.extend(keys)
        return tuple(found)

    def select(self, selector: Selector, near: Any, namespace: str | None = None) -> Selected:
        """The workloads whose pods a selector of `near` selects, in its namespace or the one written."""
        wanted = namespace or self.namespace(near)
        chosen, uncertain = [], False
        for workload, labels in self._pods.candidates(selector):
            same = same_namespace(self.namespace(workload), wanted)
            if same is False:
                continue
            matched = matches(selector, labels)
            if matched and same:
                chosen.append(workload)
            elif matched is None or (matched and same is None) or self._labels_patched(workload):
                uncertain = True
        uncertain = uncertain or self._may_hold(WORKLOAD, selector.match_labels)
        if chosen:
            return Selected(tuple(chosen), "found", exhaustive=not uncertain)
        if uncertain or selector.unknown:
            return Selected((), "unknown", exhaustive=False)
        for workload, labels in self._everywhere.pods.candidates(selector):
            if same_namespace(workload.namespace, wanted) is not False and matches(selector, labels) is not False:
                return Selected((), "unknown", exhaustive=False)
        absence = self._absence(WORKLOAD, wanted, selector.match_labels)
        return Selected((), absence.state, absence.certain, unseen=absence.unseen)

    def selectable(self, selector: Selector, near: Any) -> Iterator[WorkloadFact]:
        """Every workload of the run, in this unit or not, whose pods a selector of `near` may select."""
        for workload, labels in self._everywhere.pods.candidates(selector):
            same = same_namespace(self.namespace(workload), self.namespace(near))
            if same is not False and matches(selector, labels) is not False:
                yield workload

    def readers(self, resource: ResourceFact) -> Iterator[WorkloadFact]:
        """The workloads of the run, in this unit or not, that are this resource or name it as their ConfigMap."""
        for key in (("", id(resource)), (known_as(resource.family), resource.id.name or "")):
            for workload in self._everywhere.readers.get(key, ()):
                if same_namespace(self.namespace(workload), self.namespace(resource)) is not False:
                    yield workload

    def mentioning(self, host: str) -> Iterator[tuple[ResourceFact, Mention]]:
        """Who writes an address or host name: in this unit where that is complete, else in the whole run."""
        here = self.once(_resource_ids) if self._knowledge.complete is True else None
        for resource, mention in self._everywhere.mentions.get(host, ()):
            if here is None or id(resource) in here:
                yield resource, mention

    def addressed(self, host: str) -> Iterator[ServiceFact]:
        """The Services whose manifests state that their load balancer has this address, likewise."""
        for service in self._everywhere.addressed.get(host, ()):
            if self._knowledge.complete is not True or id(service) in self.once(_service_ids):
                yield service

    def nearest_workload(self, selector: Selector, near: Any) -> WorkloadFact | None:
        """The workload in the namespace of `near` that a selector which selects nothing was most likely meant for.

        By the likeness of its pods' labels, else by the name of `near`, else the only one there is to choose.
        """
        here = self.once(workloads_by_namespace).get(self.namespace(near), [])
        candidates: dict[str, WorkloadFact] = {}
        for workload in here:
            labels = self.pod_labels(workload)
            pairs = [f"{key}={labels[key]}" for key, _ in selector.match_labels if labels.get(key)]
            if pairs:
                candidates.setdefault(",".join(pairs), workload)
        found = nearest(selector_text(selector), candidates)
        if found:
            return candidates[found]
        for group in (
            [one for one in here if one.resource.id.name == near.resource.id.name],
            candidates.values(),
            here,
        ):
            if len(group) == 1:
                return next(iter(group))
        return None

    def labelled(self, selector: Selector) -> Iterator[WorkloadFact]:
        """The workloads of this unit, in any namespace, whose pods' labels may be those that a selector asks for."""
        for workload, labels in self._pods.candidates(selector):
            if matches(selector, labels) is not False:
                yield workload

    def workload_elsewhere(self, selector: Selector, near: Any) -> WorkloadFact | None:
        """The workload that a selector would select in another namespace than that of `near`."""
        for workload, labels in self._pods.candidates(selector):
            if matches(selector, labels):
                same = same_namespace(self.namespace(workload), self.namespace(near))
                return workload if same is False else None
        return None

    def _labels_patched(self, workload: WorkloadFact) -> bool:
        return self.is_patched(workload, *workload.labels_at.route)

    def is_complete(self, kind: str) -> bool:
        """Whether the input is declared to hold every object of a kind."""
        complete = self._knowledge.complete
        if isinstance(complete, bool):
            return complete
        kinds = {one.rpartition("/")[2] for one in complete}
        return kind in kinds or (kind == WORKLOAD and "Pod" in kinds)

    def _absence(self, kind: str, namespace: str | None, pairs: Iterable[tuple[str, str]]) -> Answer:
        """What can be said of an object that was not found; `pairs` are what it would be known by."""
        if self._may_hold(kind, pairs):
            return Answer("unknown")
        if self.is_complete(kind):
            return Answer("missing", certain=True)
        # Secrets are not expected to be kept in files.
        if kind != "Secret" and self.objects(kind, namespace):
            return Answer("missing")
        return Answer("unknown", unseen=True)

    def _may_hold(self, kind: str, pairs: Iterable[tuple[str, str]]) -> bool:
        """Whether something in the unit that cannot be looked into may make an object of a kind.

        `pairs` are keys and values that the object would have.
        """
        kinds = WORKLOAD_KINDS if kind == WORKLOAD else {kind}
        hidden = self._knowledge.hidden
        if hidden and ("*" in hidden or hidden & kinds):
            return True
        for one in self._knowledge.broken:
            if kinds.intersection(one.kinds) and set(pairs).issubset(one.pairs):
                return True
        return self._makes_pods_elsewhere

    def _exists_elsewhere(self, kind: str, name: str, namespace: str | None) -> bool:
        if is_built_in(kind, name, namespace):
            return True
        for external in self._knowledge.externals:
            if (
                external.kind == kind
                and fnmatchcase(name, external.name)
                and (namespace is None or fnmatchcase(namespace, external.namespace or "*"))
            ):
                return True
        if any((kind, name) == (generated[0], generated[1]) for generated in self._knowledge.generated):
            return True
        return (kind, name) in self._made or (kind, None) in self._made


def _resource_ids(project: Project) -> set[int]:
    return {id(resource) for resource in project.resources}


def _service_ids(project: Project) -> set[int]:
    return {id(service) for service in project.services}


def workloads_by_namespace(project: Project) -> dict[str | None, list[WorkloadFact]]:
    """The workloads of a project by namespace: ask `project.once` for it."""
    found: dict[str | None, list[WorkloadFact]] = {}
    for workload in project.workloads:
        found.setdefault(project.namespace(workload), []).append(workload)
    return found
