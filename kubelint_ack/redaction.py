"""Which parts of a file no report may show: the data of Secrets, and credentials in what is no manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubelint_ack.decode import Decoded, Document
from kubelint_ack.records import Span
from kubelint_ack.resource import Resource
from kubelint_ack.views import mapping

# In a document that is not checked: a Secret, what generates one, or the configuration of a client.
_CREDENTIALS = r"[Ss]ecret|kind[\"']?\s*:\s*[\"']?Config\b|client-key-data"

_HOLDERS = (("data",), ("stringData",))

# `kubectl apply` keeps a copy of the whole object here.
_COPY = "last-applied-configuration"


def may_hold_credentials(text: str) -> bool:
    """Whether the text of a document that is not checked may hold a Secret or a client's credentials."""
    return re.search(_CREDENTIALS, text) is not None


def whole_span(decoded: Decoded, document: Document) -> Span:
    """A document with the comments behind it."""
    return decoded.span(document.start, _past_comments(decoded.text, document.end))


def secret_spans(decoded: Decoded, document: Document, resource: Resource) -> list[Span]:
    """The data of a Secret: everything below `data` and `stringData` except the keys, and copies in annotations.

    Also what a repeated key held before, and comments in between. The whole document where a field is repeated, or a
    part of the data is written elsewhere, as aliases allow.
    """
    marks, own = decoded.marks, resource.data
    spans: list[Span] = []
    if any(one.kind == "yaml-duplicate-key" and one.route[-2:-1] not in _HOLDERS for one in document.problems):
        return [whole_span(decoded, document)]
    for field in ("data", "stringData"):
        if field not in own:
            continue
        content = own[field]
        if field in marks.written.get(id(own), ()) or marks.written.get(id(content)):
            return [whole_span(decoded, document)]
        start, end = _value(decoded, own, field)
        # Up to the next field: old values are commented out at the end of the data.
        table = marks.of(own)
        end = min((key_start for key_start in table[2::4] if key_start >= end), default=max(end, table[1]))
        keys: list[tuple[int, int]] = []
        if isinstance(content, dict):
            table = marks.of(content)
            keys = sorted(zip(table[2::4], table[3::4]))
        end = _past_comments(decoded.text, end)
        for key_start, key_end in [*keys, (end, end)]:
            spans += _mask(decoded, start, key_start)
            start = key_end
    annotations = mapping(mapping(own.get("metadata")).get("annotations"))
    for key in annotations:
        if isinstance(key, str) and key.endswith(_COPY):
            spans += _mask(decoded, *_value(decoded, annotations, key))
    return spans


def _value(decoded: Decoded, holder: Mapping[str, Any], field: str) -> tuple[int, int]:
    """Offsets of a field's value."""
    at = 4 + 4 * list(holder).index(field)
    start, end = decoded.marks.of(holder)[at : at + 2]
    return start, end


_COMMENTS = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*(?:#[^\n]*)?")


def _past_comments(text: str, offset: int) -> int:
    match = _COMMENTS.match(text, offset)
    return match.end() if match else offset


def _mask(decoded: Decoded, start: int, end: int) -> list[Span]:
    """The span of a piece of text, without the punctuation around it; nothing where there is nothing else."""
    text = decoded.text[start:end]
    end -= len(text) - len(text.rstrip(" \t\r\n,}"))
    start += len(text) - len(text.lstrip(" \t:{"))
    return [decoded.span(start, end)] if decoded.text[start:end].strip() else []
