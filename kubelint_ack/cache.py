"""Scan records kept between runs, outside the repository, by the hash of all that they depend on.

One file for each combination of root and settings, in `$XDG_CACHE_HOME/kubelint-ack` (or the platform's place),
readable by its owner only. It holds data, never code; a damaged or foreign file is as good as none.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from typing import Any, NamedTuple

from kubelint_ack import __version__
from kubelint_ack.data import data_files, data_path, is_checkout
from kubelint_ack.scan import ScanRecord


class _Stored(NamedTuple):
    content: str
    record: bytes


def directory() -> str:
    """Where the cache lies."""
    if os.environ.get("KUBELINT_ACK_CACHE_DIR"):
        return os.environ["KUBELINT_ACK_CACHE_DIR"]
    # A relative folder does not count (XDG Base Directory Specification); it might lie in the repository.
    if os.path.isabs(os.environ.get("XDG_CACHE_HOME", "")):
        return os.path.join(os.environ["XDG_CACHE_HOME"], "kubelint-ack")
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return os.path.join(os.environ["LOCALAPPDATA"], "kubelint-ack", "cache")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/kubelint-ack")
    return os.path.expanduser("~/.cache/kubelint-ack")


def encode(record: ScanRecord) -> bytes | None:
    """A record as bytes; None if it holds what has no form there: a huge number, a name that is no UTF-8."""
    import msgspec

    try:
        return msgspec.msgpack.encode(record)
    except (OverflowError, UnicodeEncodeError):
        return None


def decode(data: bytes) -> ScanRecord:
    """The record of `encode`; raises ValueError if it is none."""
    import msgspec

    return msgspec.msgpack.decode(data, type=ScanRecord)


def program_version() -> str:
    """A text that changes whenever the program does: in a checkout, with every edit of its files."""
    if not is_checkout():
        return __version__
    state = []
    for folder in ("kubelint_ack", "rules", "schemas"):
        for path in data_files(folder):
            if not path.endswith(".pyc"):
                status = os.stat(data_path(path))
                state.append(f"{path}:{status.st_mtime_ns}:{status.st_size}")
    return hashlib.sha256("\n".join(state).encode()).hexdigest()


class Cache:
    """The records of one root under one combination of settings."""

    def __init__(self, root: str, folder: str | None = None) -> None:
        self._folder = folder or directory()
        self._root = root
        self._path = ""
        self._known: dict[str, _Stored] | None = None
        self._changed = False

    def open(self, settings_key: str) -> None:
        """Use the records made under these settings."""
        text = "\0".join([self._root, settings_key, program_version()])
        name = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        self._path = os.path.join(self._folder, f"{name}.scan")
        self._known = None

    @staticmethod
    def digest(data: bytes, path: str, role: str) -> str:
        """The hash of a file: what its record depends on besides the settings."""
        return hashlib.sha256(b"\0".join([data, path.encode("utf-8", "surrogateescape"), role.encode()])).hexdigest()

    def get(self, path: str, content: str) -> ScanRecord | None:
        """The stored record of a file with this content hash."""
        stored = self._entries().get(path)
        if stored is None or stored.content != content:
            return None
        try:
            return decode(stored.record)
        except ValueError:
            return None

    def put(self, record: ScanRecord, content: str, encoded: bytes | None) -> None:
        """Remember a record; `encoded` is what `encode` made of it, where that was done."""
        encoded = encoded or encode(record)
        if encoded is not None:
            self._entries()[record.path] = _Stored(content, encoded)
            self._changed = True

    def _entries(self) -> dict[str, _Stored]:
        if self._known is None:
            self._known = {}
            try:
                import msgspec

                with open(self._path, "rb") as file:
                    checksum, data = file.read(_CHECKSUM), file.read()
                if checksum == _checksum(data):
                    self._known = msgspec.msgpack.decode(data, type=dict[str, _Stored])
            except (OSError, ValueError):
                pass
        return self._known

    def save(self) -> None:
        """Write what has changed; files that are gone are forgotten. A cache that cannot be written is no error."""
        if not self._changed or self._known is None:
            return
        import msgspec

        kept = {path: stored for path, stored in self._known.items() if os.path.exists(os.path.join(self._root, path))}
        folder = os.path.dirname(self._path)
        temporary: Any = None
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=folder)
            with os.fdopen(handle, "wb") as file:
                data = msgspec.msgpack.encode(kept)
                file.write(_checksum(data) + data)
            os.replace(temporary, self._path)
            _forget_old(folder)
        except OSError:
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)


_CHECKSUM = 16
"""Bytes in front of the data: a damaged record might still decode."""


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECKSUM).digest()


KEPT_FILES = 30
"""How many combinations of root and settings are remembered; the longest unused go."""


def _forget_old(folder: str) -> None:
    files = [entry for entry in os.scandir(folder) if entry.name.endswith(".scan")]
    for entry in sorted(files, key=lambda entry: entry.stat().st_mtime, reverse=True)[KEPT_FILES:]:
        os.unlink(entry.path)
