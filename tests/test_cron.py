"""`cron.py`: every expectation was judged by the source of robfig/cron v3 (CronJob) and ringtail/go-cron (CronHPA)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelint_ack.cron import CronProblem, cron_problem
from kubelint_ack.records import Unknown


@pytest.mark.parametrize(
    "text",
    [
        *("* * * * *", "*/5 0-6 1,15 JAN-mar MON-FRI", "0 0 ? * ?", " 0  8\t* * 1 ", "5/15 * * * *", "0-30/10 * * * *"),
        *("0,,30 * * * *", "+5 * * * *", "05 * * * *", "*-5 * * * *", "59 23 31 12 6", "0 0 29 2 *", "0 0 31 1-12 *"),
        *(
            "0 0 30 2 1",
            "0 0 30 2 */2",
            "0 0 , * 1",
            "0 0 31 4/1 *",
            "@hourly",
            "@midnight",
            "@annually",
            "@every 5m",
            "@every 1h30m",
        ),
        *("@every 1.5h", "@every -5s", "@every 0", "@every .5h", "@every 3\u00b5s"),
        Unknown("{{ .Values.schedule }}"),
    ],
)
def test_schedule_that_is_fine(text: object) -> None:
    assert cron_problem(text) is None


@pytest.mark.parametrize(
    ("text", "reason", "value", "field"),
    [
        ("60 * * * *", "range", "60", "minute"),
        ("0 24 * * *", "range", "24", "hour"),
        ("0 0 0 * *", "range", "0", "day"),
        ("0 0 32 * *", "range", "32", "day"),
        ("0 0 1 13 *", "range", "13", "month"),
        ("0 8 * * 7", "range", "7", "weekday"),
        ("0 8 * * 1-7", "range", "1-7", "weekday"),
        ("0 8 * * FRI-MON", "range", "FRI-MON", "weekday"),
        ("0 5-3 * * *", "range", "5-3", "hour"),
        ("1,99,2 * * * *", "range", "99", "minute"),
        ("99999999999999999999 * * * *", "range", "99999999999999999999", "minute"),
        ("a * * * *", "name", "a", "minute"),
        ("0 0 * JANUARY *", "name", "JANUARY", "month"),
        ("0 0 * MON *", "name", "MON", "month"),
        ("0 0 L * *", "name", "L", "day"),
        ("0 0 15W * *", "value", "15W", "day"),
        ("0 0 * * 5#2", "value", "5#2", "weekday"),
        ("-5 * * * *", "value", "-5", "minute"),
        ("1-2-3 * * * *", "value", "1-2-3", "minute"),
        ("1.5 * * * *", "value", "1.5", "minute"),
        ("**/5 * * * *", "value", "**/5", "minute"),
        ("\u0661 * * * *", "value", "\u0661", "minute"),
        ("*/0 * * * *", "step", "*/0", "minute"),
        ("*/ * * * *", "step", "*/", "minute"),
        ("*/x * * * *", "step", "*/x", "minute"),
        ("*/-5 * * * *", "step", "*/-5", "minute"),
        ("*/5/5 * * * *", "step", "*/5/5", "minute"),
        (", * * * *", "never", ",", "minute"),
        ("0 0 30 2 *", "never", "30 2", ""),
        ("0 0 31 4,6,9,11 *", "never", "31 4,6,9,11", ""),
        ("0 0 31  FEB ?", "never", "31  FEB", ""),
        ("0 0 30/1 2 *", "never", "30/1 2", ""),
        ("0 0 31 4-4/1 *", "never", "31 4-4/1", ""),
        ("0 0 * * ,", "never", "* *", ""),
        ("@hour", "descriptor", "@hour", ""),
        ("@Hourly", "descriptor", "@Hourly", ""),
        ("@every", "descriptor", "@every", ""),
        ("@date 2026-01-01 00:00:00", "descriptor", "@date 2026-01-01 00:00:00", ""),
        ("@every 5", "duration", "5", ""),
        ("@every 1d", "duration", "1d", ""),
        ("@every  5m", "duration", " 5m", ""),
        ("@every 9999999h", "duration", "9999999h", ""),
        ("TZ=Asia/Shanghai 0 8 * * *", "tz-prefix", "TZ=Asia/Shanghai", ""),
        ("CRON_TZ=UTC 0 8 * * *", "tz-prefix", "CRON_TZ=UTC", ""),
        ("TZ=UTC", "tz-prefix", "TZ=UTC", ""),
    ],
)
def test_schedule_with_a_problem(text: str, reason: str, value: str, field: str) -> None:
    found = cron_problem(text)
    assert found is not None
    assert (found.reason, found.value, found.field) == (reason, value, field)
    assert text[found.start : found.end] == value


def test_the_problem_names_the_limits_of_its_field() -> None:
    assert cron_problem("0 8 * * 1,7") == CronProblem("range", 10, 11, "7", "weekday", 0, 6)


@pytest.mark.parametrize(("text", "count"), [("", "0"), ("0 8 * *", "4"), ("0 0 8 * * *", "6"), (" @hourly", "1")])
def test_number_of_fields(text: str, count: str) -> None:
    assert cron_problem(text) == CronProblem("fields", 0, len(text), count)


@pytest.mark.parametrize("value", [5, None, True, [], {}])
def test_not_a_string(value: object) -> None:
    assert cron_problem(value) == CronProblem("type", 0, 0, "")


@pytest.mark.parametrize("text", ["0 0 8 * * *", "0 8 * * *", "@daily", "@every 1h", "@date 2028-02-29 8:00:00"])
def test_cron_hpa_schedule_that_is_fine(text: str) -> None:
    assert cron_problem(text, seconds=True) is None


@pytest.mark.parametrize(
    ("text", "reason", "value", "field"),
    [
        ("0 8 * *", "fields", "4", ""),
        ("60 0 8 * * *", "range", "60", "second"),
        ("0 0 8 * * 7", "range", "7", "weekday"),
        ("0 8 * * 13", "range", "13", "month"),
        ("0 0 0 30 2 *", "never", "30 2", ""),
        ("0 0 0 30 2", "never", "30 2", ""),
        ("0 0 0 30 2 */2", "never", "30 2", ""),
        ("TZ=UTC 0 0 8 * * *", "fields", "7", ""),
        ("@date 2026-02-29 08:00:00", "date", "2026-02-29 08:00:00", ""),
        ("@date 2026-13-01 08:00:00", "date", "2026-13-01 08:00:00", ""),
        ("@date 2026-01-01T08:00:00", "date", "2026-01-01T08:00:00", ""),
        ("@date 2026-01-01 24:00:00", "date", "2026-01-01 24:00:00", ""),
        ("@date", "descriptor", "@date", ""),
    ],
)
def test_cron_hpa_schedule_with_a_problem(text: str, reason: str, value: str, field: str) -> None:
    found = cron_problem(text, seconds=True)
    assert found is not None
    assert (found.reason, found.value, found.field) == (reason, value, field)


@settings(deadline=None)
@given(
    st.one_of(st.text(), st.text("0159*/,-? @JANTZ=", max_size=14), st.integers(), st.lists(st.text())), st.booleans()
)
def test_no_input_raises_and_offsets_are_inside(value: Any, seconds: bool) -> None:
    found = cron_problem(value, seconds=seconds)
    if found and isinstance(value, str):
        assert 0 <= found.start <= found.end <= len(value)
