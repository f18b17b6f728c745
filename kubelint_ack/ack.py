"""Catalogues of facts about ACK: what its controllers read, as data files under `schemas/ack/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from kubelint_ack.data import data_files, read_data

_ENDING = "-annotations.json"


class Catalogue(NamedTuple):
    """Annotations and labels of one family: a file `schemas/ack/<name>-annotations.json`."""

    name: str
    title: Mapping[str, str]
    """By language."""
    sources: Mapping[str, Mapping[str, str]]
    covers: Mapping[str, tuple[int, ...]]
    """By component: the newest version that the catalogue covers."""
    on: tuple[str, ...]
    """Kinds of the objects that carry the keys, where a row says nothing else."""
    prefixes: tuple[str, ...]
    """What the names of rows follow: the one to write, then older ones that are still read."""
    readers: Mapping[str, Mapping[str, Any]]
    known: Mapping[str, Mapping[str, Any]]
    """Rows by name, as `annotations.schema.json` describes them; a name with a slash is a whole key."""
    unread: Mapping[str, str]
    """Names that look like annotations and are none, and the whole key that is meant."""

    def key(self, name: str) -> str:
        """The whole key of a row, as it is to be written."""
        if "/" in name:
            return name
        continues = self.known.get(name, {}).get("continues")
        return self.prefixes[0] + name + (f"{continues}<name>" if continues else "")

    def older_keys(self, name: str) -> tuple[str, ...]:
        """Other spellings of it that are still read."""
        return () if "/" in name else tuple(prefix + name for prefix in self.prefixes[1:])

    def name_of(self, key: str) -> str | None:
        """What follows the prefix of a key (whether there is such a row or not); None: it has none of the prefixes."""
        if key in self.known:
            return key
        name = next((key[len(prefix) :] for prefix in self.prefixes if key.startswith(prefix)), None)
        if name is None or name in self.known:
            return name
        # `actions.web` is `actions`, whatever the Service; of two that fit, the longer is meant.
        fitting = [one for one, row in self.known.items() if name.startswith(one + row.get("continues", "\0"))]
        return max(fitting, key=len, default=name)


@cache
def catalogue(name: str) -> Catalogue:
    """The catalogue of a family: `service`, and whatever else lies in `schemas/ack/`."""
    data = json.loads(read_data(f"schemas/ack/{name}{_ENDING}"))
    return Catalogue(
        name,
        data["title"],
        data["sources"],
        {
            component: tuple(int(part) for part in version.split("."))
            for component, version in data.get("covers", {}).items()
        },
        tuple(data["on"]),
        tuple(data["prefixes"]),
        data["readers"],
        data["annotations"],
        data.get("unread", {}),
    )


@cache
def catalogues() -> tuple[Catalogue, ...]:
    """All catalogues of annotations."""
    names = [path.rpartition("/")[2] for path in data_files("schemas/ack")]
    return tuple(catalogue(name.removesuffix(_ENDING)) for name in names if name.endswith(_ENDING))


class AddressPlan(NamedTuple):
    """What Alibaba Cloud demands of address ranges (`schemas/ack/address-plan.json`)."""

    private: tuple[str, ...]
    reserved: tuple[str, ...]
    prefixes: Mapping[str, tuple[int, int]]
    """Smallest and largest prefix length: vpc, vswitch, service-ipv6."""
    limits: Mapping[str, int]


@cache
def address_plan() -> AddressPlan:
    """The demands on address ranges."""
    data = json.loads(read_data("schemas/ack/address-plan.json"))
    return AddressPlan(
        tuple(data["private"]["cidrs"]),
        tuple(one["cidr"] for one in data["reserved"]),
        {kind: (one["range"][0], one["range"][1]) for kind, one in data["prefixes"].items()},
        {kind: one["value"] for kind, one in data["limits"].items()},
    )


class NetworkMode(NamedTuple):
    """A network plug-in in one of its modes (`schemas/ack/network-plugins.json`)."""

    cni: str
    mode: str | None
    data_path: str | None
    title: Mapping[str, str]
    """By language."""


class NetworkPlugins(NamedTuple):
    """What the network plug-ins of ACK can do."""

    modes: Mapping[str, NetworkMode]
    capabilities: Mapping[str, Mapping[str, str]]
    """By name and mode."""

    def possible(self, cni: str | None, mode: str | None, data_path: str | None) -> list[str]:
        """The modes that a cluster may have of which this is declared; None: not declared."""
        return [
            name
            for name, one in self.modes.items()
            if cni in (None, one.cni)
            and mode in (None, one.mode or mode)
            and (data_path is None or one.data_path in (None, data_path))
        ]

    def answer(self, capability: str, cni: str | None, mode: str | None, data_path: str | None) -> str | None:
        """What such a cluster makes of something (`yes`, `no` …); None where its possible modes differ."""
        answers = {self.capabilities[capability][one] for one in self.possible(cni, mode, data_path)}
        return answers.pop() if len(answers) == 1 else None


@cache
def network_plugins() -> NetworkPlugins:
    """The matrix of network plug-ins."""
    data = json.loads(read_data("schemas/ack/network-plugins.json"))
    modes = {
        name: NetworkMode(one["cni"], one.get("mode"), one.get("data_path"), one["title"])
        for name, one in data["modes"].items()
    }
    capabilities = {name: {mode: one[mode] for mode in modes} for name, one in data["capabilities"].items()}
    return NetworkPlugins(modes, capabilities)


@cache
def alb_config_fields() -> Mapping[str, Mapping[str, Any]]:
    """Fields of AlbConfigs by path: rows of `schemas/ack/alb-config.json`."""
    fields: Mapping[str, Mapping[str, Any]] = json.loads(read_data("schemas/ack/alb-config.json"))["fields"]
    return fields
