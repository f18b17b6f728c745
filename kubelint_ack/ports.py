"""Sets of ports by protocol, as rules of NetworkPolicies allow them."""

# As in records.py, annotations are not postponed.

from collections.abc import Iterable
from typing import NamedTuple

PROTOCOLS = ("SCTP", "TCP", "UDP")
"""What a NetworkPolicy may name, in the order in which sets are written."""

LAST = 65535

Ranges = tuple[tuple[int, int], ...]
"""First and last port of each stretch: sorted, apart from each other."""


class Ports(NamedTuple):
    """Ports of each protocol; no stretch: none of them."""

    sctp: Ranges = ()
    tcp: Ranges = ()
    udp: Ranges = ()

    @property
    def empty(self) -> bool:
        """Whether it holds no port at all."""
        return not (self.sctp or self.tcp or self.udp)

    @property
    def everything(self) -> bool:
        """Whether it holds every port of every protocol."""
        return self == EVERY_PORT

    def union(self, other: "Ports") -> "Ports":
        """The ports in either."""
        if self == other or other.empty:
            return self
        return Ports(*(_merged((*mine, *theirs)) for mine, theirs in zip(self, other)))

    def meet(self, other: "Ports") -> "Ports":
        """The ports in both."""
        if self.everything or other.empty:
            return other
        return Ports(*(_common(mine, theirs) for mine, theirs in zip(self, other)))

    def holds(self, other: "Ports") -> bool:
        """Whether all ports of the other are in it."""
        return self.meet(other) == other

    def has(self, protocol: str, port: int) -> bool:
        """Whether a port is in it."""
        return self.holds(some_ports(protocol, port, port))

    def texts(self, every: str) -> list[str]:
        """`TCP 80,443,8000-9000` for each protocol of which it holds ports; `every` stands for all ports."""
        found = []
        for protocol, ranges in zip(PROTOCOLS, self):
            if ranges:
                written = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
                found.append(f"{protocol} {every if ranges == _WHOLE else written}")
        return found


_WHOLE: Ranges = ((1, LAST),)
NO_PORT = Ports()
EVERY_PORT = Ports(_WHOLE, _WHOLE, _WHOLE)


def some_ports(protocol: str, first: int = 1, last: int = LAST) -> Ports:
    """The ports from `first` to `last` of a protocol, by default all; nothing of a protocol or range there is not."""
    if protocol not in PROTOCOLS or not 1 <= first <= last <= LAST:
        return NO_PORT
    return Ports(**{protocol.lower(): ((first, last),)})


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _common(one: Ranges, other: Ranges) -> Ranges:
    found = [(max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) <= min(b, d)]
    return tuple(sorted(found))
