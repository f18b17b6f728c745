"""What the API server refuses: what the examples of the rules cannot show."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubelint_ack.values import address_problem, is_to_fill_in
from tests.harness import lint, write

MIB = 1 << 20


def _config_map(size: int, more: str = "") -> str:
    text = "x" * (size - 3)
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: large}}\ndata:\n  a: abc\n  b: {text}\n{more}"


def test_values_of_a_mebibyte_are_accepted_and_a_byte_more_is_not(tmp_path: Path) -> None:
    write(tmp_path, {"fits.yaml": _config_map(MIB), "large.yaml": _config_map(MIB + 1)})
    found = lint(tmp_path, select=["config-data-too-large"]).findings
    assert [(one.path, one.place.span.line, one.values["size"]) for one in found] == [("large.yaml", 6, MIB + 1)]


def test_data_of_secrets_counts_decoded_and_is_not_shown(tmp_path: Path) -> None:
    encoded = "QUFB" * (MIB // 3)
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: large}\ndata:\n  a: "
    write(tmp_path, {"fits.yaml": f"{secret}{encoded}\n", "large.yaml": f"{secret}{encoded}QUE=\n"})
    found = lint(tmp_path, select=["config-data-too-large"]).findings
    assert [one.path for one in found] == ["large.yaml"]
    assert "QUFB" not in repr(found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10.0.0.10", ""),
        ("100.100.100.200", ""),
        ("fd00::10", ""),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("127.0.0.53", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("224.0.0.5", "multicast"),
        ("224.0.1.5", ""),
        ("ff02::1", "multicast"),
        ("db.example.com", "syntax"),
    ],
)
def test_addresses_that_traffic_cannot_be_sent_to(text: str, problem: str) -> None:
    assert address_problem(text) == problem


@pytest.mark.parametrize(
    "text", ["<your-domain>", "${HOST}", "$(HOST)", "YOUR_DOMAIN", "$HOST", "%HOST%", "{{ x }}", "…"]
)
def test_what_is_to_be_filled_in(text: str) -> None:
    assert is_to_fill_in(text)


@pytest.mark.parametrize("text", ["web", "WEB", "web.example.com", "a_b", "$", ""])
def test_what_is_meant_as_it_is(text: str) -> None:
    assert not is_to_fill_in(text)
