"""What the API server makes of the fields of a Job: index lists, time zones."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import NamedTuple

from kubelint_ack.data import read_data


class IndexMistake(NamedTuple):
    """Why a list of indexes is refused."""

    reason: str
    """`number` neither an index nor a range · `large` not below the number of completions · `order` not above the
    index before."""
    start: int
    end: int
    value: str


def count_indexes(text: str, completions: int | None) -> int | IndexMistake:
    """How many indexes `1,3-5,7` lists; or the first mistake in it.

    Restates pkg/apis/batch/validation/validation.go (validateIndexesFormat). None: the completions are not known.
    """
    count, previous = 0, -1
    start = 0
    for piece in text.split(","):
        end = start + len(piece)
        numbers = piece.split("-")
        if len(numbers) > 2 or not all(re.fullmatch("[0-9]{1,10}", number) for number in numbers):
            return IndexMistake("number", start, end, piece)
        low, high = int(numbers[0]), int(numbers[-1])
        if completions is not None and max(low, high) >= completions:
            return IndexMistake("large", start, end, piece)
        if low <= previous or (len(numbers) == 2 and low >= high):
            return IndexMistake("order", start, end, piece)
        count, previous, start = count + high - low + 1, high, end + 1
    return count


@cache
def _time_zones() -> dict[str, str]:
    """The name of each time zone by its lower-case form."""
    names: list[str] = json.loads(read_data("schemas/kubernetes/time-zones.json"))["names"]
    return {name.lower(): name for name in names}


def time_zone_mistake(name: str) -> tuple[str, str]:
    """Why a CronJob's time zone is refused, and the right name where only the case is wrong; `("", "")` if it is not.

    `local` it is the API server's own · `case` · `unknown` · `new` unknown, but of a form that a newer list may hold.
    Restates pkg/apis/batch/validation/validation.go (validateTimeZone); names are those of the IANA database.
    """
    zones = _time_zones()
    if name.lower() == "local":
        return "local", ""
    known = zones.get(re.sub("^(?:posix|right)/", "", name.lower()))
    if known is not None:
        return ("", "") if name.endswith(known) else ("case", known)
    area = name.partition("/")[0]
    is_new = re.fullmatch(r"[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_-]+)+", name) and any(
        zone.startswith(f"{area}/") for zone in zones.values()
    )
    return ("new" if is_new else "unknown"), ""
