"""The objects of the whole run: a reference that one unit does not answer may be answered by another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from kubelint_ack.facts import ClaimFact, Facts, IngressFact, Labels, Mention, ResourceFact, ServiceFact, WorkloadFact
from kubelint_ack.kinds import known_as
from kubelint_ack.records import Unknown
from kubelint_ack.values import Selector

_UNKNOWN = Unknown("")
FURTHER_LABELS: Mapping[Any, Any] = {_UNKNOWN: _UNKNOWN}
"""In a map of labels: there may be more of them."""


def known_labels(labels: Labels) -> Mapping[str, str | Unknown]:
    """A fact's labels as selectors are matched with them: unknown values marked as such."""
    return {key: _UNKNOWN if value is None else value for key, value in labels.items()}


class Pods:
    """Workloads by the labels of their pods, so that a selector meets only those that it may select."""

    def __init__(self) -> None:
        self._all: list[tuple[WorkloadFact, Mapping[str, str | Unknown]]] = []
        self._by_pair: dict[tuple[str, str | Unknown], list[int]] = {}
        self._vague: list[int] = []

    def add(self, workload: WorkloadFact, labels: Mapping[str, str | Unknown], *, vague: bool = False) -> None:
        """Enter a workload; `vague`: its labels may be others once they are rendered."""
        number = len(self._all)
        self._all.append((workload, labels))
        if vague or any(isinstance(value, Unknown) for value in labels.values()):
            self._vague.append(number)
        else:
            for pair in labels.items():
                self._by_pair.setdefault(pair, []).append(number)

    def candidates(self, selector: Selector) -> Iterator[tuple[WorkloadFact, Mapping[str, str | Unknown]]]:
        """The workloads, with the labels of their pods, that a selector may select, in the order of entry."""
        if not selector.match_labels:
            yield from self._all
            return
        fewest = min((self._by_pair.get(pair, ()) for pair in selector.match_labels), key=len)
        for number in sorted([*fewest, *self._vague]):
            yield self._all[number]


class Existence:
    """All objects of the whole run by kind and name: a reference that the unit does not answer may be here."""

    def __init__(self, facts: Iterable[Facts]) -> None:
        self._namespaces: dict[tuple[str, str], list[tuple[str | None, Any]]] = {}
        self.pods = Pods()
        self.governed: dict[str, list[WorkloadFact]] = {}
        """StatefulSets by the Service that they name."""
        self.mentions: dict[str, list[tuple[ResourceFact, Mention]]] = {}
        """Who writes an address or host name."""
        self.addressed: dict[str, list[ServiceFact]] = {}
        """Services by the addresses and host names of their load balancers, in small letters."""
        self.ingresses: list[IngressFact] = []
        for group in facts:
            self.ingresses += group.ingresses
            for service in group.services:
                for address in dict.fromkeys(map(str.lower, service.addresses)):
                    self.addressed.setdefault(address, []).append(service)
            for workload in group.workloads:
                self.pods.add(workload, known_labels(workload.labels))
                if workload.service_name:
                    self.governed.setdefault(workload.service_name.name, []).append(workload)
            for fact in group.all():
                resource: ResourceFact = fact.resource
                if not isinstance(fact, ClaimFact):
                    for mention in resource.mentions:
                        self.mentions.setdefault(mention.host, []).append((resource, mention))
                if isinstance(fact, WorkloadFact) and fact.further:
                    continue
                if resource.id.name and not isinstance(fact, ClaimFact):
                    key = (known_as(resource.family), resource.id.name)
                    self._namespaces.setdefault(key, []).append((resource.id.namespace, fact))
                elif isinstance(fact, ClaimFact) and not fact.template and fact.name:
                    key = ("PersistentVolumeClaim", fact.name)
                    self._namespaces.setdefault(key, []).append((resource.id.namespace, fact))

    @cached_property
    def readers(self) -> Mapping[tuple[str, int | str], list[WorkloadFact]]:
        """Workloads by what their pods may read: the id of their own resource, and the names of ConfigMaps."""
        found: dict[tuple[str, int | str], list[WorkloadFact]] = {}
        for workload, _ in self.pods.candidates(Selector()):
            keys: dict[tuple[str, int | str], None] = {("", id(workload.resource)): None}
            for reference in workload.resource.references:
                if reference.kind == "ConfigMap":
                    keys["ConfigMap", reference.name] = None
            for key in keys:
                found.setdefault(key, []).append(workload)
        return found

    def find(self, kind: str, name: str) -> list[tuple[str | None, Any]]:
        """(namespace as written, fact) of each object of that kind and name."""
        return self._namespaces.get((kind, name), [])


def same_namespace(one: str | None, other: str | None) -> bool | None:
    """Whether two namespaces are the same; None: cannot be known, since one of them is left to the render."""
    if (one is None) != (other is None):
        return None
    return one == other
