"""The connections of one target, as people ask for them: between workloads, from and to outside, from Ingresses."""

# As in records.py, annotations are not postponed.

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from kubelint_ack.existence import FURTHER_LABELS
from kubelint_ack.ports import NO_PORT, Ports, some_ports
from kubelint_ack.project import Project
from kubelint_ack.queries.policies import target_ports
from kubelint_ack.queries.reach import ALL_IPV4, ALL_IPV6, ANYBODY, Block, Connection, End, Reach, block
from kubelint_ack.values import nearest

Doubt = Literal["", "host-network", "namespace", "template"]


class Outside(NamedTuple):
    """Addresses outside the cluster that are answered alike."""

    blocks: tuple[Block, ...]

    @property
    def cidrs(self) -> list[str]:
        """The addresses."""
        return [text for one in self.blocks for text in one.texts()]

    @property
    def rest(self) -> list[str]:
        """All other addresses of the same versions."""
        found = []
        for whole in (ALL_IPV4, ALL_IPV6):
            own = [one for one in self.blocks if one.version == whole.version]
            first = whole.first
            for one in own:
                if one.first > first:
                    found += Block(whole.version, first, one.first - 1).texts()
                first = one.last + 1
            if own and first <= whole.last:
                found += Block(whole.version, first, whole.last).texts()
        return found


class Controller(NamedTuple):
    """Whatever serves the Ingresses: pods in a namespace that is not known."""

    ports: tuple[tuple[End, Ports], ...]
    """The workloads that Ingresses lead to, and at which ports."""


Party = End | Outside | Controller


class Flow(NamedTuple):
    """What one party may open to another."""

    source: Party
    target: Party
    sure: Ports
    perhaps: Ports
    connection: Connection
    doubt: Doubt
    """Why it cannot be known."""

    @property
    def verdict(self) -> Literal["allowed", "denied", "unknown", "partly"]:
        """Whether `sure` ports are open, none, perhaps some, or some and perhaps more."""
        if self.perhaps.empty:
            return "denied"
        if self.sure == self.perhaps:
            return "allowed"
        return "unknown" if self.sure.empty else "partly"


class UnknownPartyError(Exception):
    """A name that no workload has; `near` is the nearest one."""

    def __init__(self, name: str, near: str | None) -> None:
        super().__init__(name)
        self.name = name
        self.near = near


PRIVATE = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
)
"""https://www.iana.org/assignments/iana-ipv4-special-registry/"""


class Flows:
    """The connections of a project."""

    def __init__(self, project: Project, home: str | None) -> None:
        self.answers = Reach(project, home)
        self.ends = self.answers.ends()
        self._of: dict[int, End] = {id(fact): end for end in self.ends for fact in end.facts}

    def names(self) -> list[str]:
        """What parties may be called."""
        return [name for end in self.ends for name in (end.label, end.name)]

    def find(self, name: str | None) -> "list[End | Block] | None":
        """The parties of a name (`namespace/name`, `name`, either with `*`), a CIDR, an address, `outside`, `internet`.

        None: no name is given, and all are meant. Raises UnknownPartyError.
        """
        if name is None:
            return None
        if name in ("outside", "internet"):
            return [ALL_IPV4] if name == "outside" else list(_public())
        own = block(name)
        if own is not None:
            return [own]
        found: list[End | Block] = [
            end for end in self.ends if fnmatchcase(end.label, name) or fnmatchcase(end.name, name)
        ]
        if not found:
            raise UnknownPartyError(name, nearest(name, self.names()))
        return found

    def all(self, source: str | None, target: str | None) -> Iterator[Flow]:
        """The connections from a source to a target; None for either: all that there are. Raises UnknownPartyError."""
        sources, targets = self.find(source), self.find(target)
        from_ends = self.ends if sources is None else [one for one in sources if isinstance(one, End)]
        to_ends = self.ends if targets is None else [one for one in targets if isinstance(one, End)]
        for one in from_ends:
            for other in to_ends:
                if one is not other or (source is not None and target is not None):
                    yield self._flow(one, other)
            if targets is None or len(to_ends) < len(targets):
                yield from self._outside(one, targets, out=True)
        if sources is None or len(from_ends) < len(sources):
            for one in to_ends:
                yield from self._outside(one, sources, out=False)
        if source is None:
            yield from self._from_ingresses(to_ends)

    def _flow(self, source: End, target: End) -> Flow:
        found = self.answers.connection(source, target)
        return Flow(source, target, found.sure, found.perhaps, found, _doubt(found, source, target))

    def _outside(self, end: End, asked: "list[End | Block] | None", *, out: bool) -> Iterator[Flow]:
        """The connections of an end with addresses outside, those that are answered alike as one."""
        groups: dict[object, tuple[list[Block], Connection]] = {}
        stretches = self.answers.blocks("egress" if out else "ingress")
        if asked is not None:
            stretches = [part for one in stretches for part in _parts(one, asked)]
        for stretch in stretches:
            found = self.answers.connection(end, stretch) if out else self.answers.connection(stretch, end)
            side = found.egress if out else found.ingress
            alike = (found.sure, found.perhaps, tuple(id(one.rule) for one in side.grants))
            groups.setdefault(alike, ([], found))[0].append(stretch)
        for blocks, found in groups.values():
            party = Outside(tuple(_joined(blocks)))
            doubt = _doubt(found, end, end)
            source, target = (end, party) if out else (party, end)
            yield Flow(source, target, found.sure, found.perhaps, found, doubt)

    def _from_ingresses(self, ends: Iterable[End]) -> Iterator[Flow]:
        project = self.answers.project
        ports: dict[int, Ports] = {}
        for ingress in project.ingresses:
            for backend in ingress.backends:
                service = project.find("Service", backend.service, ingress).fact
                if service is None or service.selector is None:
                    continue
                named = {one.name: one.port for one in service.ports}
                wanted = named.get(backend.port) if isinstance(backend.port, str) else backend.port
                for workload in project.select(service.selector, service).workloads:
                    end = self._of.get(id(workload))
                    for number, port, protocol in target_ports(service, workload):
                        if end is not None and number == wanted:
                            known = ports.get(id(end), NO_PORT)
                            ports[id(end)] = known.union(some_ports(protocol, port, port))
        controller = Controller(tuple((end, ports[id(end)]) for end in self.ends if id(end) in ports))
        for end in ends:
            if id(end) in ports:
                found = self.answers.connection(ANYBODY, end)
                sure, perhaps = found.sure.meet(ports[id(end)]), found.perhaps.meet(ports[id(end)])
                yield Flow(controller, end, sure, perhaps, found, "" if sure == perhaps else "namespace")


def _doubt(found: Connection, source: End, target: End) -> Doubt:
    """Why an answer is not certain."""
    if found.sure == found.perhaps:
        return ""
    pods = (*source.pods, *target.pods)
    if any(one.host_network for one in pods):
        return "host-network"
    unlabelled = any(key in FURTHER_LABELS for one in pods for key in one.namespace_labels)
    return "namespace" if unlabelled else "template"


def _public() -> Iterator[Block]:
    first = ALL_IPV4.first
    for one in filter(None, map(block, PRIVATE)):
        if one.first > first:
            yield Block(4, first, one.first - 1)
        first = one.last + 1


def _parts(stretch: Block, asked: "list[End | Block]") -> Iterator[Block]:
    """What of a stretch is in one of the blocks that are asked for."""
    for one in asked:
        if isinstance(one, Block) and one.version == stretch.version:
            first, last = max(one.first, stretch.first), min(one.last, stretch.last)
            if first <= last:
                yield Block(one.version, first, last)


def _joined(blocks: list[Block]) -> list[Block]:
    found: list[Block] = []
    for one in sorted(blocks):
        if found and found[-1].version == one.version and found[-1].last + 1 == one.first:
            found[-1] = Block(one.version, found[-1].first, one.last)
        else:
            found.append(one)
    return found


def open_ends(flows: Flows) -> list[End]:
    """The workloads that no policy selects in either direction."""
    return [
        end
        for end in flows.ends
        if not any(flows.answers.policies(one, direction) for one in end.pods for direction in ("ingress", "egress"))
    ]
