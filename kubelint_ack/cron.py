"""Cron schedules as the CronJob controller reads them, and as ACK's CronHPA does.

Restates github.com/robfig/cron v3 (parser.go, spec.go: ParseStandard), which Kubernetes calls in
pkg/apis/batch/validation/validation.go; and for CronHPA its vendored github.com/ringtail/go-cron (parser.go).
"""

# As in records.py, annotations are not postponed.

import re
from typing import NamedTuple

from kubelint_ack.records import Unknown


class CronProblem(NamedTuple):
    """Why a schedule is refused, or never comes."""

    reason: str
    """`fields` wrong number of them · `value` neither a number nor a range of numbers · `name` no name of a month
    or weekday · `range` outside `low` to `high`, or its end before its beginning · `step` not a number above 0 ·
    `descriptor` no such `@` word · `duration` after `@every` · `date` after `@date` · `tz-prefix` (`TZ=`, `CRON_TZ=`:
    refused in favour of `spec.timeZone`) · `never` accepted, but no such day comes · `type` not a string."""
    start: int
    end: int
    """Offsets of the offending piece in the text."""
    value: str
    """That piece; for `fields` their number."""
    field: str = ""
    """`second`, `minute`, `hour`, `day`, `month` or `weekday`; empty where no single one is to blame."""
    low: int = 0
    high: int = 0
    """The least and greatest number of that field."""


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    """In order, the first standing for `low`."""


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 6, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_LAST_DAY = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
# Go's time.ParseDuration.
_DURATION = r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)"
_NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def cron_problem(text: object, *, seconds: bool = False) -> CronProblem | None:
    """What is wrong with a schedule; None if nothing is.

    Five fields, or an `@` word. With `seconds`, CronHPA's form: the first field is the second, the weekday may be
    left out (so five fields are accepted, and mean something else), and `@date 2026-01-31 08:00:00` is allowed.
    """
    if not isinstance(text, str):
        return None if isinstance(text, Unknown) else CronProblem("type", 0, 0, "")
    zone = re.match("(?:CRON_)?TZ=[^ ]*", text)
    if zone and not seconds:
        return CronProblem("tz-prefix", 0, zone.end(), zone[0])
    if text.startswith("@"):
        return _descriptor(text, seconds)
    # Go's strings.Fields: the four separators that Python alone counts as blanks are part of a field.
    pieces = list(re.finditer(r"[\S\x1c-\x1f]+", text))
    expected = (5, 6) if seconds else (5,)
    if len(pieces) not in expected:
        return CronProblem("fields", 0, len(text), str(len(pieces)))
    fields = _FIELDS if seconds else _FIELDS[1:]
    chosen: dict[str, set[int]] = {"weekday": set(range(7))}
    stars = {"weekday"} if len(pieces) < len(fields) else set()
    for field, piece in zip(fields, pieces):
        numbers: set[int] = set()
        # A comma too many is no error, and a field of commas alone never comes.
        for item in re.finditer("[^,]+", piece[0]):
            parsed = _item(item[0], field)
            if isinstance(parsed, str):
                start = piece.start() + item.start()
                return CronProblem(parsed, start, start + len(item[0]), item[0], field.name, field.low, field.high)
            numbers.update(parsed)
            # A step makes a star of robfig/cron an ordinary set of days, but not one of go-cron.
            if item[0][0] in "*?" and (parsed.step == 1 or seconds):
                stars.add(field.name)
        chosen[field.name] = numbers
    for field, piece in zip(fields, pieces):
        if not chosen[field.name] and field.name not in ("day", "weekday"):
            return CronProblem("never", piece.start(), piece.end(), piece[0], field.name, field.low, field.high)
    if _comes(chosen["day"], chosen["month"], chosen["weekday"], bool(stars & {"day", "weekday"})):
        return None
    start, end = pieces[len(fields) - 3].start(), pieces[len(fields) - 2].end()
    return CronProblem("never", start, end, text[start:end])


def _comes(days: set[int], months: set[int], weekdays: set[int], star: bool) -> bool:
    """Whether such a day comes: with a star, day and weekday must both fit; else one does (spec.go, dayMatches)."""
    date = any(day <= _LAST_DAY[month - 1] for month in months for day in days)
    return date and bool(weekdays) if star else date or bool(weekdays)


def _item(text: str, field: _Field) -> range | str:
    """The numbers that one item of a field's list stands for; else the reason why it is none."""
    span, *steps = text.split("/")
    first, *rest = span.split("-")
    if first in ("*", "?"):
        low, high = field.low, field.high
    else:
        if len(rest) > 1:
            return "value"
        numbers = []
        for word in (first, *rest):
            number = _number(word, field)
            if number is None:
                return "name" if word.isalpha() else "value"
            numbers.append(number)
        low, high = numbers[0], numbers[-1]
    if len(steps) > 1:
        return "step"
    step = 1
    if steps:
        if not re.fullmatch(r"\+?[0-9]+", steps[0]) or not steps[0].strip("+0"):
            return "step"
        step = _integer(steps[0])
        if not rest:
            high = field.high
    if low < field.low or high > field.high or low > high:
        return "range"
    return range(low, high + 1, step)


def _number(word: str, field: _Field) -> int | None:
    if word.lower() in field.names:
        return field.names.index(word.lower()) + field.low
    return _integer(word) if re.fullmatch(r"\+?[0-9]+", word) else None


def _integer(digits: str) -> int:
    """The number; one that no field reaches, if it is too long to be read."""
    digits = digits.lstrip("+0") or "0"
    return int(digits) if len(digits) < 18 else 10**18


def _descriptor(text: str, dates: bool) -> CronProblem | None:
    if text in _DESCRIPTORS:
        return None
    word, blank, rest = text.partition(" ")
    if blank and word == "@every":
        return None if is_duration(rest) else CronProblem("duration", len("@every "), len(text), rest)
    if blank and word == "@date" and dates:
        return None if _is_date(rest) else CronProblem("date", len("@date "), len(text), rest)
    return CronProblem("descriptor", 0, len(text), text)


def is_duration(text: str) -> bool:
    """Whether it is a duration of Go (`1h30m`) that fits 63 bits of nanoseconds."""
    if len(text) > 1000 or not re.fullmatch(_DURATION, text):
        return False
    total = 0.0
    for number, unit in re.findall(r"([0-9.]+)([a-z\u00b5\u03bc]+)", text):
        total += float(number) * _NANOSECONDS[unit.replace("\u00b5", "u").replace("\u03bc", "u")]
    return total < 2**63


def _is_date(text: str) -> bool:
    """Whether it is a date that Go's time.Parse takes for `2006-01-02 15:04:05`."""
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,][0-9]+)?", text)
    if not found:
        return False
    year, month, day, hour, minute, second = map(int, found.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 28 if month == 2 and not leap else _LAST_DAY[month - 1] if 1 <= month <= 12 else 0
    return 1 <= day <= last and hour <= 23 and minute <= 59 and second <= 59
