from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from kubelint_ack import files
from kubelint_ack.files import Source, Unreadable, read, sniff
from tests.collecting import posix_only, write


def source_of(file: Path) -> Source:
    return Source(file.name, str(file), False)


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_read_up_to_the_limit(tmp_path: Path, size: int) -> None:
    (tmp_path / "x").write_bytes(b"\r\nx\0"[:4] * 25 if size == 100 else b"x" * size)
    assert read(source_of(tmp_path / "x"), 100) == (tmp_path / "x").read_bytes()


def test_read_refuses_what_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 101)
    for source in (source_of(tmp_path / "x"), Source("<stdin>", "", True, b"x" * 101)):
        with pytest.raises(Unreadable) as caught:
            read(source, 100)
        assert (caught.value.reason, caught.value.detail) == ("too-large", "101")


def test_read_does_not_even_begin_with_a_huge_file(tmp_path: Path) -> None:
    size = 1 << 42
    try:
        with open(tmp_path / "x", "wb") as file:
            file.truncate(size)
    except OSError:
        pytest.skip("the file system has no sparse files of this size")
    with pytest.raises(Unreadable) as caught:
        read(source_of(tmp_path / "x"), 100)
    assert (caught.value.reason, caught.value.detail) == ("too-large", str(size))


def test_read_standard_input() -> None:
    assert read(Source("<stdin>", "", True, b""), 100) == b""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_read_a_file_whose_size_is_not_known() -> None:
    source = Source("status", "/proc/self/status", False)
    assert read(source, 100_000).startswith(b"Name:")
    with pytest.raises(Unreadable, match="too-large"):
        read(source, 100)


def test_read_a_file_that_grows_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"x" * 50)
    real_open = files.open_regular

    def growing(file: str) -> tuple[int, int]:
        opened = real_open(file)
        with open(file, "ab") as more:
            more.write(b"y" * 30)
        return opened

    monkeypatch.setattr(files, "open_regular", growing)
    assert read(source_of(tmp_path / "x"), 100) == b"x" * 50 + b"y" * 30
    with pytest.raises(Unreadable, match="too-large"):
        read(source_of(tmp_path / "x"), 100)


def test_read_a_file_that_vanished(tmp_path: Path) -> None:
    write(tmp_path, "file")
    for name in ("gone", "gone/x", "file/x"):
        with pytest.raises(Unreadable) as caught:
            read(source_of(tmp_path / name), 100)
        assert caught.value.reason == "vanished"


@posix_only
def test_read_what_was_replaced_after_the_listing(tmp_path: Path) -> None:
    """Neither waiting for a pipe nor following a new link."""
    os.mkfifo(tmp_path / "fifo")
    write(tmp_path, "target")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "folder").mkdir()
    for name, detail in (("fifo", "FIFO"), ("link", "symbolic link"), ("folder", "folder")):
        with pytest.raises(Unreadable) as caught:
            read(source_of(tmp_path / name), 100)
        assert (caught.value.reason, caught.value.detail) == ("not-regular", detail)


@posix_only
def test_reading_leaves_no_file_open(tmp_path: Path) -> None:
    write(tmp_path, "x")
    (tmp_path / "folder").mkdir()
    before = os.open(tmp_path / "x", os.O_RDONLY)
    os.close(before)
    for name, limit in (("x", 100), ("x", 1), ("folder", 100)):
        with contextlib.suppress(Unreadable):
            read(source_of(tmp_path / name), limit)
    after = os.open(tmp_path / "x", os.O_RDONLY)
    os.close(after)
    assert after == before


# --- is it Kubernetes? ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Service\n",
        "# comment\n---\nkind : Service\n'apiVersion' : v1",
        '{"kind":"List","apiVersion":"v1"}',
        '{\n  "items": [],\n  "apiVersion"\n: "v1",\n  "kind": "List"}',
        "--- {apiVersion: v1, kind: Service}",
        "{\n  # KYAML\n  apiVersion: 'v1',\n  kind: 'Service',\n}",
        "items:\n- apiVersion: v1\n  kind: Service\n",
        "- - apiVersion: v1\n    kind: Service\n",
        "a: 1\r\n\r\napiVersion: v1\r\nkind: Service\r\n",
        "a: 1\rapiVersion: v1\rkind: Service\r",
        "{{- if .Values.x }}\napiVersion: {{ x }}\nkind: Service\n{{- end }}",
        "apiVersion:\nkind:\n",
        '{"apiVersion": "v1", "data": {"x": "' + "x" * 200_000 + '"}, "kind": "ConfigMap"}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_may_be_kubernetes(text: str, encoding: str) -> None:
    assert sniff(text.encode(encoding))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "apiVersion: v2\nname: chart\n",
        "kind: x\n",
        "# apiVersion: v1\n# kind: Service\n",
        "the apiVersion: and the kind: of it\n",
        "myapiVersion: v1\nmykind: x\n",
        "apiVersions: v1\nkinds: x\n",
        "apiVersion v1\nkind x\n",
        '["apiVersion", "kind"]',
    ],
)
def test_is_not_kubernetes(text: str) -> None:
    assert not sniff(text.encode())


@pytest.mark.parametrize("filler", ["\n", " ", "- ", ", ", "{\n", "\r ", "\r\n", "apiVersion\n", "apiVersion ", "'"])
def test_sniffing_takes_linear_time(filler: str) -> None:
    data = b"kind apiVersion " + filler.encode() * 300_000
    start = time.process_time()
    assert not sniff(data)
    assert time.process_time() - start < 5
