"""The load balancer that ACK's controller makes of a Service: what it reads, and which listeners come of it.

Restates kubernetes/cloud-provider-alibaba-cloud, pkg/controller/service (clbv1 and nlbv2), by the catalogue
`schemas/ack/service-annotations.json`.
"""

# As in records.py, annotations are not postponed.

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from kubelint_ack.ack import catalogue
from kubelint_ack.annotations import Entry, entries, is_placeholder
from kubelint_ack.facts import ServiceFact
from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Severity, Unknown, at
from kubelint_ack.values import version
from kubelint_ack.views import LB_PREFIXES, Service, integer, text

CONTROLLER = "cloud-controller-manager"
BACKEND_TYPE = "service.beta.kubernetes.io/backend-type"

Kind = Literal["clb", "nlb"]


class Setting(NamedTuple):
    """An annotation that the controller finds: known, and not empty."""

    name: str
    """What follows the prefix."""
    key: str
    """As written."""
    value: str
    row: Mapping[str, Any]
    reading: Mapping[str, Any] | None
    """How this kind of load balancer takes it; None: it does not."""

    @property
    def at(self) -> FieldPath:
        """The annotation."""
        return at("metadata", "annotations", self.key)

    @property
    def type(self) -> str:
        """The form of its value."""
        form: str = self.row["type"]
        return form


class Listener(NamedTuple):
    """What a port of the Service becomes."""

    position: int
    """Of the port in `spec.ports`."""
    port: int
    transport: str
    """TCP or UDP, as the Service says."""
    protocol: str | None
    """tcp, udp, http, https or tcpssl; None if it cannot be known or is not supported."""
    target: int | str | None
    """The target port."""


class Balancer:
    """The load balancer of one Service."""

    def __init__(self, kind: Kind, annotations: Mapping[str, Any], ports: Sequence[tuple[int, Any, str, Any]]) -> None:
        """`ports`: position, number, transport and target of each; none: not known."""
        self.kind: Kind = kind
        self.settings: dict[str, Setting] = {}
        """By name, in the order written."""
        self.vague: dict[str, Setting] = {}
        """Those whose value is to be filled in."""
        self.unknown: dict[str, str] = {}
        """Names and keys of those whose value only rendering will show, and may be empty, or that is no string."""
        self.ports = ports
        for key, value in annotations.items():
            self._enter(key, value, annotations)
        self.listeners_known = bool(ports)
        """Whether the protocols of all listeners are known."""
        self.listeners = tuple(self._listeners())
        # An entry for none of the ports is meant for one of them.
        ports_text = {str(one.port) for one in self.listeners}
        if any(entry.field(1) not in ports_text for entry in self.entries("protocol-port")):
            self.listeners_known = False

    def _enter(self, key: str, value: Any, annotations: Mapping[str, Any]) -> None:
        known = catalogue("service")
        name = known.name_of(key)
        row = known.known.get(name or "")
        if name is None or row is None:
            return
        # The newer prefix wins when present, even if empty.
        if key.startswith(LB_PREFIXES[1]) and annotations.get(LB_PREFIXES[0] + name) is not None:
            return
        if isinstance(value, Unknown):
            self.unknown[name] = key
        elif isinstance(value, str) and value:
            setting = Setting(name, key, value, row, row["readers"].get(self.kind))
            vague = row["type"] not in _LISTS and value not in _DOLLARS and is_placeholder(value)
            (self.vague if vague else self.settings)[name] = setting
        elif value is not None and not isinstance(value, str):
            # The API server refuses it (annotation-value-not-string): what was meant is not absent.
            self.unknown[name] = key

    def _listeners(self) -> Iterator[Listener]:
        listed = self.entries("protocol-port")
        vague = self.state("protocol-port") is None
        for index, number, transport, target in self.ports:
            port = integer(number)
            if port is None:
                self.listeners_known = False
                continue
            protocol = None if vague else self._protocol(listed, port, transport)
            self.listeners_known = self.listeners_known and protocol is not None
            yield Listener(index, port, transport, protocol, target if isinstance(target, str) else integer(target))

    def _protocol(self, listed: Sequence[Entry], port: int, transport: str) -> str | None:
        for entry in listed:
            if entry.vague or len(entry.fields) < 2:
                return None
            if entry.fields[1].text == str(port):
                return self.protocol(entry.fields[0].text)
        return transport.lower()

    def protocol(self, word: str) -> str | None:
        """The protocol that a word in `protocol-port` stands for; None if this kind does not support it."""
        known: list[str] = catalogue("service").known["protocol-port"]["readers"][self.kind]["values"]
        word = word.lower() if self.kind == "nlb" else word
        return word if word in known else None

    @property
    def label(self) -> str:
        """CLB or NLB."""
        return self.kind.upper()

    def find(self, name: str) -> Setting | None:
        """The setting of that name, be it known or to be filled in."""
        return self.settings.get(name) or self.vague.get(name)

    def value(self, name: str) -> str | None:
        """The known value of an annotation; None if it is not set, or not known."""
        setting = self.settings.get(name)
        return setting.value if setting else None

    def state(self, name: str) -> bool | None:
        """Whether an annotation has a value; None if only rendering will show."""
        if name in self.settings or name in self.vague:
            return True
        return None if name in self.unknown else False

    def key(self, name: str) -> str:
        """The key under which an annotation is written, or would be."""
        setting = self.find(name)
        return setting.key if setting else self.unknown.get(name) or catalogue("service").key(name)

    def at(self, name: str) -> FieldPath:
        """Where an annotation is, or would be."""
        return at("metadata", "annotations", self.key(name))

    def entries(self, name: str) -> list[Entry]:
        """The items of a list with colons; none if it is not set, or not known."""
        value = self.value(name)
        return entries(value) if value else []

    def holds(self, name: str, values: Sequence[str | None] = ()) -> bool | None:
        """Whether an annotation has one of some values (None: it is not set; no values: any); None if not known."""
        state = self.state(name)
        if state is not True:
            return None in values if state is False else None
        if not values:
            return True
        setting = self.settings.get(name)
        if setting is None:
            return None
        value = setting.value
        if setting.reading and setting.reading.get("any_case"):
            return value.lower() in {one.lower() for one in values if one is not None}
        return value in values

    def is_on(self, name: str) -> bool | None:
        """Whether a flag is switched on; None if not known."""
        return self.holds(name, ("on",))

    @property
    def reuses(self) -> bool | None:
        """Whether an existing load balancer is used."""
        return self.state("id")

    @property
    def manages_listeners(self) -> bool | None:
        """Whether the controller makes and changes the listeners; None if not known."""
        reuses = self.state("id")
        if reuses is False:
            return True
        forced = self.holds("force-override-listeners", ("true",))
        return forced if reuses or forced else None

    @property
    def http_check(self) -> bool | None:
        """Whether some health check is by HTTP; None if not known."""
        flag, is_http = self.is_on("health-check-flag"), self.holds("health-check-type", ("http",))
        if self.kind == "nlb":
            return False if flag is False or is_http is False else (True if flag and is_http else None)
        if not self.listeners_known:
            return None
        protocols = {one.protocol for one in self.listeners}
        answers = [flag] if protocols & {"http", "https"} else []
        answers += [is_http] if "tcp" in protocols else []
        return True if True in answers else (None if None in answers else False)

    def backends(self, profile: Profile) -> Literal["eni", "ecs"] | None:
        """What it forwards to: pods or nodes. Anything but `eni` means nodes (helper/service_utils.go)."""
        if self.state(BACKEND_TYPE) is False:
            return profile.service_backend_type
        value = self.value(BACKEND_TYPE)
        if value is None:
            return None
        return "eni" if value == "eni" else "ecs"

    def unmet(self, need: Mapping[str, Any], setting: Setting) -> bool:
        """Whether what a reading needs is surely not there."""
        when = need.get("when")
        if when is not None and setting.value.lower() not in {one.lower() for one in when}:
            return False
        wanted = need.get("values", ())
        # In other letters it is wrong by itself, and lb-enum-invalid or lb-flag-invalid says so.
        if (self.value(need["key"]) or "").lower() in {one.lower() for one in wanted if one}:
            return False
        return self.holds(need["key"], wanted) is False

    def is_met(self, setting: Setting) -> bool:
        """Whether all that it needs is surely there."""
        needs = (setting.reading or {}).get("needs", ())
        return all(self.holds(need["key"], need.get("values", ())) is True for need in needs)

    def has_effect(self, setting: Setting) -> bool:
        """Whether nothing that it needs is surely absent."""
        return not any(self.unmet(need, setting) for need in (setting.reading or {}).get("needs", ()))

    def hit(self, place: FieldPath, **values: Any) -> Hit:
        """A hit, with all that decides what the controller makes of the Service."""
        return Hit(place, depends=_DECIDING, **values)


_DECIDING = (
    at("metadata", "annotations"),
    at("spec", "type"),
    at("spec", "loadBalancerClass"),
    at("spec", "ports"),
)

# Forms whose parts are judged one by one.
_LISTS = frozenset({"protocol-ports", "port-map", "port-ranges", "group-ports", "domain-certificates", "zone-maps"})
_LISTS |= {"ids", "pairs", "enums"}
# Values that begin with a dollar and are meant so.
_DOLLARS = ("$_ip", "$SERVER_IP")


@lru_cache(maxsize=1)
def balancer(service: Service) -> Balancer | None:
    """The load balancer of a Service; None if Alibaba Cloud makes none, or nothing shows whose Service it is.

    A Service without ports is a patch: what it lacks may stand elsewhere.
    """
    kind = service.load_balancer
    if kind is None or not service.has("spec", "ports"):
        return None
    ports = [
        (index, port.get("port"), text(port.get("protocol", "TCP")) or "TCP", port.get("targetPort", port.get("port")))
        for index, port in service.ports()
    ]
    return Balancer(kind, service.annotations, ports)


def balancer_of(service: ServiceFact) -> Balancer | None:
    """The same from a fact, whose annotations are those that are known."""
    if service.load_balancer is None:
        return None
    ports = [(index, port.port, port.protocol, port.target) for index, port in enumerate(service.ports)]
    return Balancer(service.load_balancer, service.annotations, ports)


def running(profile: Profile) -> tuple[int, ...] | None:
    """The version of the controller that the profile declares; None if it does not."""
    return version((profile.components or {}).get(CONTROLLER))


def milder(profile: Profile, severity: Severity | None = None, rule: Severity = "error") -> Severity | None:
    """The severity of a finding about a set of values: lower where the declared controller is newer than the list."""
    declared = running(profile)
    covered = catalogue("service").covers[CONTROLLER]
    if declared is None or declared[: len(covered)] <= covered:
        return severity
    return "warning" if (severity or rule) == "error" else "info"
