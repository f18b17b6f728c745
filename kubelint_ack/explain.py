"""What an annotation or label means to the controllers of ACK: a page from its row in the catalogues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.ack import Catalogue, catalogues
from kubelint_ack.catalog import Language
from kubelint_ack.words import say

Entry = tuple[Catalogue, str]
"""A catalogue, and the name of one of its rows."""


def find_key(word: str) -> list[Entry]:
    """The rows that a whole key (also with an older prefix), or what follows the prefix, names."""
    found = []
    for one in catalogues():
        name = one.name_of(word) or word
        if name in one.known:
            found.append((one, name))
    return found


def nearest_key(word: str) -> str | None:
    """The whole key that a word was most likely meant for."""
    from kubelint_ack.values import nearest

    for one in catalogues():
        name = one.name_of(word) or word
        if name in one.unread:
            return one.unread[name]
    short = word.rpartition("/")[2].lower().replace("_", "-")
    own = [one for one in catalogues() if one.name_of(word) is not None]
    keys: dict[str, str] = {}
    for one in own or catalogues():
        for name in one.known:
            keys.setdefault(name.lower(), one.key(name))
            keys.setdefault(one.key(name).rpartition("/")[2].lower(), one.key(name))
    near = nearest(short, keys)
    return keys[near] if near else None


def key_page(entry: Entry, language: Language) -> str:
    """The page of a key in Markdown."""
    return "\n".join(_page(*entry, language)).rstrip() + "\n"


def _page(catalogue: Catalogue, name: str, language: Language) -> Iterator[str]:
    row = catalogue.known[name]
    yield f"# {catalogue.key(name)}\n"
    yield f"{row['description'][language]}\n"
    head = [
        ("label" if row.get("label") else "annotation", ", ".join(row.get("on", catalogue.on))),
        ("older", ", ".join(f"`{key}`" for key in catalogue.older_keys(name))),
        ("value", say(language, f"explain.type.{row['type']}")),
        ("form", f"`{row['form']}`" if "form" in row else ""),
        ("example", f"`{row['example']}`" if "example" in row else ""),
        ("not-read-by", _joined((_reader(catalogue, one, language) for one in _others(catalogue, row)), language)),
    ]
    lines = [f"| {say(language, f'explain.{key}')} | {text} |" for key, text in head if text]
    for reader, instead in row.get("instead", {}).items():
        lines.append(
            f"| {say(language, 'explain.instead', reader=_reader(catalogue, reader, language))} | `{instead}` |"
        )
    yield from (lines[0], "| --- | --- |", *lines[1:], "")
    for reader, reading in row["readers"].items():
        yield f"## {_reader(catalogue, reader, language)}\n"
        facts = list(_facts(catalogue, catalogue.readers[reader], reading, language))
        yield from (f"- {fact}" for fact in facts or [say(language, "explain.read")])
        yield ""
    yield f"## {say(language, 'docs.references')}\n"
    for key in row["sources"]:
        source = catalogue.sources[key]
        yield f"- {source['title']}" + (f": <{source['url']}>" if "url" in source else "")


def _others(catalogue: Catalogue, row: Mapping[str, Any]) -> list[str]:
    return [reader for reader in catalogue.readers if reader not in row["readers"]]


def _reader(catalogue: Catalogue, reader: str, language: Language) -> str:
    text: str = catalogue.readers[reader]["name"][language]
    return text


def _joined(words: Iterator[str], language: Language) -> str:
    return say(language, "list.comma").join(words)


def _facts(
    catalogue: Catalogue, reader: Mapping[str, Any], reading: Mapping[str, Any], language: Language
) -> Iterator[str]:
    """What one reader makes of it, a line each."""
    component = reader.get("component", "")
    for field in ("since", "until"):
        if field in reading:
            yield say(language, f"explain.{field}", version=f"{component} {reading[field]}".strip())
    allowed = [f"`{word}`" for word in reading.get("values", ())]
    if "range" in reading:
        low, high = reading["range"]
        allowed.append(say(language, "explain.range", low=low, high=high))
    if allowed:
        yield say(language, "explain.values", values=_joined(iter(allowed), language))
    for field in ("prefix", "pattern", "default"):
        if field in reading:
            yield say(language, f"explain.{field}", value=f"`{reading[field]}`")
    for field in ("any_case", "trims", "immutable"):
        if reading.get(field):
            yield say(language, f"explain.{field.replace('_', '-')}")
    for need in reading.get("needs", ()):
        yield _need(catalogue, need, language)
    if "most" in reading:
        yield say(language, "explain.most", count=reading["most"])
    if "check" in reading:
        yield say(language, "explain.check")
    if "listeners" in reading:
        yield say(language, "explain.listeners", protocols=_joined(iter(reading["listeners"]), language))
    if "backends" in reading:
        yield say(language, "explain.backends", type=f"`{reading['backends']}`")
    if "wrong" in reading:
        yield say(language, f"explain.wrong.{reading['wrong']}")


def _need(catalogue: Catalogue, need: Mapping[str, Any], language: Language) -> str:
    values = need.get("values", ())
    words = [say(language, "explain.absent") if value is None else f"`{value}`" for value in values]
    text = say(
        language,
        "explain.needs-value" if words else "explain.needs",
        key=f"`{need['key']}`",
        values=say(language, "list.or").join(words),
    )
    if "when" in need:
        return say(language, "explain.when", values=_joined((f"`{one}`" for one in need["when"]), language)) + text
    return text


def key_data(entry: Entry, language: Language) -> dict[str, Any]:
    """A key as JSON data, with its page."""
    catalogue, name = entry
    row = catalogue.known[name]
    return {
        "key": catalogue.key(name),
        "older_keys": list(catalogue.older_keys(name)),
        "name": name,
        "catalogue": catalogue.name,
        "label": bool(row.get("label")),
        "on": list(row.get("on", catalogue.on)),
        "type": row["type"],
        "form": row.get("form"),
        "description": row["description"][language],
        "readers": {
            reader: {**reading, "component": catalogue.readers[reader].get("component")}
            for reader, reading in row["readers"].items()
        },
        "not_read_by": _others(catalogue, row),
        "sources": [dict(catalogue.sources[key]) for key in row["sources"]],
        "page": key_page(entry, language),
    }
