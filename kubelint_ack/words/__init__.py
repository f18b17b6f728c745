"""The program's own words (summary, help, usage errors) in both languages: one plain file a language.

The texts of rules are not here: they live in the rule files.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from functools import cache

Entry = str | dict[str, str]
"""A wording, or `one` and `other` where it depends on the value `count`."""

PIECE = re.compile(r"\{\{|\}\}|\{(\w[\w-]*)\}")
"""What a template may hold besides text: doubled braces, and placeholders."""


@cache
def catalogue(language: str) -> dict[str, Entry]:
    """All wordings of a language (`en`, `zh`) by key."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{language}.json")
    with open(path, encoding="utf-8") as file:
        entries: dict[str, Entry] = json.load(file)
    return entries


def fill(template: str, values: Mapping[str, object], shown: Callable[[object], str] = str) -> str:
    """The template with its `{name}` placeholders replaced by `shown(value)`; `{{` and `}}` become single braces.

    A placeholder without a value becomes what `shown` makes of None.
    """

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        return match.group()[0] if name is None else shown(values.get(name))

    return PIECE.sub(replace, template)


def say(language: str, key: str, /, **values: object) -> str:
    """The wording of a key; the value `count` chooses between singular and plural where the language has both.

    Raises KeyError for an unknown key.
    """
    entry = catalogue(language)[key]
    if isinstance(entry, dict):
        entry = entry["one"] if values.get("count") == 1 and "one" in entry else entry["other"]
    return fill(entry, values)
