"""One file: how reports name it, how its bytes are read, and whether they may hold Kubernetes objects."""

# As in records.py, annotations are not postponed.

import errno
import os
import re
import stat
from typing import Any, NamedTuple


class Source(NamedTuple):
    """One file to read."""

    path: str
    """What reports say: relative to the root with `/`; outside the root relative to the current directory, else
    absolute. Bytes that are no UTF-8 are surrogates, as `os.fsdecode` makes them; see `printable`."""
    file: str
    """What to open; empty for standard input."""
    explicit: bool
    """Named by the user: found neither by walking nor by a pattern."""
    data: bytes | None = None
    """The content of standard input; None: `read` it."""


class Skipped(NamedTuple):
    """A file, or a folder when the path ends with `/`, that was met but is not read.

    `reason` is `excluded` (detail: `built-in` or empty), `gitignored`, `not-regular-file` (detail: what it is),
    `symlink-outside-root`, `missing` (a link that leads nowhere) or `unreadable` (detail: the system's message).
    """

    path: str
    reason: str
    detail: str = ""
    explicit: bool = False
    """Named by the user, who wants to hear about it."""


class Inputs(NamedTuple):
    """All that a run reads."""

    root: str
    has_root: bool
    """The root comes from `--root`, `.git` or a configuration file; then all of it is context."""
    scope: tuple[Source, ...]
    """The files to report on, sorted by path."""
    context: tuple[Source, ...]
    """Further files of the root, sorted by path, read only to know what the scope refers to and is referred to by."""
    skipped: tuple[Skipped, ...]
    """What was left out of the scope, sorted by path; what is left out of the context is not recorded."""


class InputError(Exception):
    """Arguments that cannot be used, in words for the user, one line each; the run ends with exit code 2."""


class Unreadable(Exception):  # noqa: N818
    """A source that could not be read.

    `reason` is `vanished`, `permission`, `too-large` (detail: bytes), `not-regular` (detail: what it is) or
    `unreadable` (detail: the system's message).
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def printable(path: str) -> str:
    r"""The path on one line: control characters and bytes that are no UTF-8 become escapes (`\n`, `\xff`)."""
    if path.isprintable():
        return path
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def is_below(path: str, folder: str) -> bool:
    """Is the path this folder or inside it? Both are absolute and normal."""
    return path == folder or path.startswith(folder_prefix(folder))


def folder_prefix(folder: str) -> str:
    """What the paths inside a folder start with."""
    return folder if folder.endswith(os.sep) else folder + os.sep


# --- reading --------------------------------------------------------------------------------------------------------

# Never wait for the other end of a FIFO, become a terminal's process or follow a link put there after the listing.
_OPEN_FLAGS = os.O_RDONLY
for _flag in ("O_BINARY", "O_CLOEXEC", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK"):
    _OPEN_FLAGS |= getattr(os, _flag, 0)


def read(source: Source, max_bytes: int) -> bytes:
    """The bytes of a source. Raises Unreadable, also for more than `max_bytes`, of which no more are read."""
    if source.data is not None:
        if len(source.data) > max_bytes:
            raise Unreadable("too-large", str(len(source.data)))
        return source.data
    try:
        descriptor, size = open_regular(source.file)
        try:
            if size > max_bytes:
                raise Unreadable("too-large", str(size))
            data = os.read(descriptor, size + 1)
            if len(data) != size:  # it grows, shrinks, or its size is not known beforehand
                chunk = data
                while chunk:
                    chunk = os.read(descriptor, max_bytes + 1 - len(data))
                    data += chunk
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        raise Unreadable("vanished") from None
    except PermissionError:
        raise Unreadable("permission") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Unreadable("not-regular", "symbolic link") from None
        if error.errno == errno.ENXIO:
            raise Unreadable("not-regular", "socket") from None
        raise Unreadable("unreadable", error.strerror or "") from None
    if len(data) > max_bytes:
        raise Unreadable("too-large", str(len(data)))
    return data


def open_regular(file: str) -> tuple[int, int]:
    """A descriptor for reading and the size in bytes. Raises OSError, and Unreadable for what is no regular file."""
    descriptor = os.open(file, _OPEN_FLAGS)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Unreadable("not-regular", kind_of(status.st_mode))
    return descriptor, status.st_size


def kind_of(mode: int) -> str:
    """What a file is that is not a regular one."""
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISFIFO(mode):
        return "FIFO"
    if stat.S_ISSOCK(mode):
        return "socket"
    return "device"


def _key_pattern(key: bytes) -> re.Pattern[bytes]:
    # At the start of a line, also of a list item, or after a brace or comma. A run of white space is looked through
    # from one place only, so that the search is linear.
    return re.compile(rb'(?m)(?:(?:^|\r)[ \t]*(?:-[ \t]+)*|[{,]\s*)["\']?' + key + rb'["\']?\s*:')


_API_VERSION = _key_pattern(b"apiVersion")
_KIND = _key_pattern(b"kind")


def sniff(data: bytes) -> bool:
    """May this hold Kubernetes objects: has it keys `apiVersion` and `kind`, in block, flow or JSON style?

    The whole file is searched, because `kubectl get -o json` writes keys in alphabetical order: `kind` comes after
    all the items of a List and after the data of a ConfigMap.
    """
    if data[:1] in (b"\xef", b"\xff", b"\xfe", b"\0"):  # a byte order mark; without NULs UTF-16 and UTF-32 are ASCII
        data = data.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")
    if b"apiVersion" not in data or b"kind" not in data:
        return False
    return _API_VERSION.search(data) is not None and _KIND.search(data) is not None


def write_whole(path: str, text: str) -> None:
    """Write a text file whole or not at all, with its folders; into a device or FIFO (`/dev/null`) straight on.

    Raises OSError, also for a symbolic link: whoever owns the linted folder may have put it there.
    """
    import tempfile

    settings: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n"}
    try:
        mode = os.stat(path).st_mode
    except OSError:
        mode = 0
    if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode):
        with open(path, "w", **settings) as file:
            file.write(text)
        return
    if os.path.islink(path):
        raise OSError(errno.ELOOP, "it is a symbolic link; name the file itself")
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".kubelint-ack-")
    try:
        with os.fdopen(handle, "w", **settings) as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
