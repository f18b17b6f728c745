"""What the makers of facts share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubelint_ack.facts import Labels, Mention, Reference, ResourceFact
from kubelint_ack.records import Step, Unknown, at
from kubelint_ack.views import View


class Extraction:
    """Collects what a resource refers to and mentions while its facts are made."""

    def __init__(self, view: View, path: str, document: int) -> None:
        self.view = view
        self.path = path
        self.document = document
        self.references: list[Reference] = []
        self.mentions: list[Mention] = []

    def resource(self, labels: Mapping[str, Any], makes: tuple[Any, ...] = ()) -> ResourceFact:
        """The resource's own fact, with all references and mentions collected so far: call it last."""
        return ResourceFact(
            self.path,
            self.document,
            self.view.resource.prefix,
            self.view.id,
            self.view.family,
            plain_labels(labels),
            self.view.is_alibaba,
            tuple(self.references),
            tuple(self.mentions),
            makes,
        )


def plain_labels(labels: Mapping[str, Any]) -> Labels:
    """Labels as facts hold them: None for an unknown value, other scalars as the server would refuse them: dropped."""
    found: Labels = {}
    for key, value in labels.items():
        if isinstance(value, str):
            found[key] = value
        elif isinstance(value, Unknown):
            found[key] = None
        elif value is None:
            # A null label is an empty one to the API server.
            found[key] = ""
    return found


# Hosts are looked for only in strings that programs read; longer ones than a line are scanned for addresses too.
# What is followed by a prefix length is a network, and what touches a placeholder only a part of a name.
_ADDRESS = r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.-]*\w)(?!/\d{1,2}(?![\w/]))"
_HOST = r"(?<![\w.%})-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+(?![\w${-])"
_MENTIONS_LIMIT = 200
# Variables and keys that list whom something is not done for, or who may call; none of them is called.
_LISTS = r"(?i)no_?proxy|cidr|white_?list|black_?list|allow_?list|deny_?list|trusted|(?:^|[_.-])sans?(?:$|[_.-])"
_COMMENT = r"(?m)^[ \t]*(?:#|//|;).*"


def mention(x: Extraction, value: Any, *route: Step, name: str | None = None) -> None:
    """Remember the addresses and host names in a string; `name` is that of its variable or key."""
    if not isinstance(value, str) or "." not in value or len(x.mentions) >= _MENTIONS_LIMIT:
        return
    if not _hosts(value) or (name and re.search(_LISTS, name)):
        return
    hosts = _hosts(re.sub(_COMMENT, "", value) if "\n" in value else value)
    if hosts:
        x.mentions.extend(Mention(host, at(*route)) for host in hosts)


def _hosts(value: str) -> dict[str, None]:
    return dict.fromkeys(re.findall(_ADDRESS, value)) | dict.fromkeys(
        host for host in re.findall(_HOST, value) if not host[-1].isdigit()
    )


def is_unknown(data: Mapping[str, Any], *keys: str) -> bool:
    """Whether one of the keys has a value that is unknown before rendering."""
    return any(isinstance(data.get(key), Unknown) for key in keys)
