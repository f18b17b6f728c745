"""Catalogues of facts about ACK: what its controllers read, as data files under `schemas/ack/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from kubelint_ack.data import read_data


class ServiceAnnotations(NamedTuple):
    """Annotations of Services that the cloud controller manager reads (`schemas/ack/service-annotations.json`)."""

    controller: tuple[int, int]
    """The newest version of the controller that the catalogue covers."""
    known: Mapping[str, Mapping[str, Any]]
    """By what follows the prefix: entries as `service-annotations.schema.json` describes them."""
    unread: Mapping[str, str]
    """Names that look like annotations and are none, and the whole key that is meant."""


@cache
def service_annotations() -> ServiceAnnotations:
    """The catalogue of load balancer annotations."""
    data = json.loads(read_data("schemas/ack/service-annotations.json"))
    major, minor = data["controller"].split(".")
    return ServiceAnnotations((int(major), int(minor)), data["annotations"], data["unread"])
