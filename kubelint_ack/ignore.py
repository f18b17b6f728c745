"""What walking leaves out: exclude patterns, built-in excludes and ignore files.

It is decided entry by entry from the top of the repository down, as git does: exclude patterns and built-in excludes
first, then the nearest ignore file that says anything (https://git-scm.com/docs/gitignore). Neither git's index nor
its per-user ignore file is consulted: the result depends on nothing outside the repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence

from kubelint_ack.files import InputError, Unreadable, folder_prefix, is_below, open_regular, printable

VERSION_CONTROL = frozenset({".git", ".hg", ".svn"})
BUILT_IN_EXCLUDES = VERSION_CONTROL | {
    "__pycache__",
    ".terraform",
    ".tox",
    ".venv",
    "node_modules",
    "vendor",
    "venv",
}
"""Names of folders that are not walked into; an exclude pattern such as `!vendor/` takes one back."""

IGNORE_FILES = (".gitignore", ".ignore")
"""In one folder, the later one wins."""

IGNORE_FILE_LIMIT = 1 << 20
"""How many bytes of an ignore file are read."""

PATTERN_WILDCARDS = 3
"""How many runs of `*` a gitignore pattern may have, beside `**/` in front and `/*` or `/**` at the end. pathspec's
expressions backtrack: their time grows with the length of a name to the power of this number (10 ms at 250
characters for three), so a pattern with more could keep us busy for years."""


class _PatternList:
    """gitignore patterns, the last that matches decides; asked often, it first asks one expression about them all."""

    __slots__ = ("_any", "_asked", "_spec")

    def __init__(self, lines: Iterable[str]) -> None:
        from pathspec import GitIgnoreSpec

        self._spec = GitIgnoreSpec.from_lines(lines)
        self._asked = 0
        self._any: re.Pattern[str] | None = None

    def match(self, path: str) -> bool | None:
        self._asked += 1
        if self._asked == 200:  # from here on it is worth the time to compile
            texts = [entry.regex.pattern for entry in self._spec.patterns if entry.regex]
            self._any = re.compile("|".join(re.sub(r"\(\?P<\w+>", "(?:", text) for text in texts))
        if self._any and self._any.search(path) is None:
            return None
        return self._spec.check_file(path).include


class _Patterns:
    """gitignore patterns and the folder that they are relative to.

    pathspec answers for a flat list of files, so a pattern that matches a folder also answers, with less weight, for
    all that is in it. Walking asks about one entry at a time, after the folders above it. Therefore folders have a
    list of their own, without the final slashes, and are looked up like files: every answer is about the entry itself.
    """

    __slots__ = ("_files", "_folders", "_skip", "unusable")

    def __init__(self, folder: str, lines: Iterable[str]) -> None:
        import warnings

        from pathspec import GitIgnoreSpec

        files: list[str] = []
        folders: list[str] = []
        self.unusable: list[str] = []
        """Lines that mean nothing, which git passes over too, or that pathspec cannot be trusted with."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # by re, about sets such as `[[:alpha:]]`: not translated
            for line in lines:
                bare = line.rstrip()
                if bare.endswith("/**/"):  # folders at any depth; pathspec would take files right there as well
                    line = bare = bare + "*/"
                for_folder = bare.rstrip("/") if bare.endswith("/") else line
                try:
                    compiled = GitIgnoreSpec.from_lines([line, for_folder]).patterns
                except (ValueError, re.error, FutureWarning):
                    compiled = ()
                if any(entry.include is not None for entry in compiled) and _wildcards(bare) <= PATTERN_WILDCARDS:
                    files.append(line)
                    folders.append(for_folder)
                else:
                    self.unusable.append(line)
            self._files = _PatternList(files)
            self._folders = _PatternList(folders)
        self._skip = len(folder_prefix(folder)) if folder else 0

    def match(self, path: str, folder: bool) -> bool | None:
        """Is this entry left out (True), taken back (False) or not mentioned (None)?"""
        return (self._folders if folder else self._files).match(path[self._skip :])


def _wildcards(pattern: str) -> int:
    """Runs of `*`, beside `**/` in front and `/*` or `/**` at the end."""
    return len(re.findall(r"\*+", re.sub(r"^!?/?\*\*/|/\*\*?/?$", "", pattern)))


def _user_patterns(purpose: str, lines: Sequence[str]) -> _Patterns:
    """Patterns relative to the root, from the command line or the configuration. Raises InputError."""
    patterns = _Patterns("", lines)
    if patterns.unusable:
        raise InputError(
            f"{purpose} pattern `{printable(patterns.unusable[0])}`: not understood; write it as in .gitignore, "
            f"relative to the root, with no more than {PATTERN_WILDCARDS} `*`"
        )
    return patterns


def file_filter(purpose: str, lines: Sequence[str]) -> Callable[[str], bool]:
    """Whether a file, given its report path, matches gitignore patterns of the user.

    Raises InputError, which begins with `purpose`, for a pattern that cannot be used.
    """
    patterns = _user_patterns(purpose, lines)
    return lambda path: patterns.match(path.lstrip("/"), False) is True


def repository_of(folder: str) -> str | None:
    """The nearest folder from this one upwards that holds `.git` (a file in submodules and worktrees), resolved."""
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return os.path.realpath(folder)


def _ignore_lines(file: str) -> list[str]:
    """The patterns in an ignore file; none if it is missing, cannot be read or is no regular file."""
    try:
        descriptor, _ = open_regular(file)
    except (OSError, Unreadable):
        return []
    try:
        data = os.read(descriptor, IGNORE_FILE_LIMIT)
    except OSError:
        return []
    finally:
        os.close(descriptor)
    lines = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf")).split("\n")
    return [line for line in lines if line.strip() and not line.startswith("#")]


Ignores = tuple[_Patterns, ...]
"""The ignore files that hold in a folder, the nearest last."""


class LeftOut:
    """What exclude patterns, built-in excludes and ignore files leave out, by resolved or report path."""

    def __init__(self, root: str, exclude: Sequence[str], respect_ignore_files: bool) -> None:
        self._exclude = _user_patterns("exclude", exclude) if exclude else None
        self._respect_ignore_files = respect_ignore_files
        self._top = repository_of(root) or root
        self._excluded: dict[str, bool] = {"": False}
        self._ignores: dict[str, tuple[Ignores, bool]] = {}

    def excludes(self, shown: str, name: str, folder: bool, patterns: bool = True) -> str | None:
        """`built-in` or, for a pattern, an empty string if this entry itself is excluded; else None."""
        decision = self._exclude.match(shown.lstrip("/"), folder) if self._exclude and patterns else None
        if decision is None:
            return "built-in" if folder and name in BUILT_IN_EXCLUDES else None
        return "" if decision else None

    def excluded(self, shown: str, folder: bool) -> bool:
        """Is this entry or a folder above it excluded?"""
        if shown == ".":
            return False
        *folders, name = shown.lstrip("/").split("/")
        above = "/".join(folders)
        if above not in self._excluded:
            path, result = "", False
            for part in folders:
                path = f"{path}/{part}" if path else part
                if path not in self._excluded:
                    self._excluded[path] = result or self.excludes(path, part, True) is not None
                result = self._excluded[path]
        return self._excluded[above] or self.excludes(shown, name, folder) is not None

    def ignored(self, ignores: Ignores, path: str, folder: bool) -> bool:
        """Is this entry itself ignored, given the ignore files that hold where it is?"""
        for patterns in reversed(ignores):
            decision = patterns.match(path, folder)
            if decision is not None:
                return decision
        return False

    def ignores(self, folder: str) -> tuple[Ignores, bool]:
        """The ignore files that hold in a folder, and whether they or others ignore it or a folder above it.

        They count from the top of the repository down, but from an ignored folder on only those in and below it: who
        names something in there wants it read, and it makes no difference which folder of it is named.
        """
        if folder not in self._ignores:
            top = self._top if is_below(folder, self._top) else repository_of(folder) or folder
            unknown = [folder]
            while unknown[-1] != top and (above := os.path.dirname(unknown[-1])) not in self._ignores:
                unknown.append(above)
            for path in reversed(unknown):
                if path == top:
                    lines = self._lines(os.path.join(path, ".git", "info", "exclude"))
                    around: Ignores = (_Patterns(path, lines),) if lines else ()
                    inside_ignored = False
                else:
                    around, inside_ignored = self._ignores[os.path.dirname(path)]
                    if self.ignored(around, path, True):
                        around, inside_ignored = (), True
                self._ignores[path] = self.with_own(path, around), inside_ignored
        return self._ignores[folder]

    def with_own(self, folder: str, ignores: Ignores) -> Ignores:
        """The ignore files that hold above a folder, and its own."""
        lines = [line for name in IGNORE_FILES for line in self._lines(os.path.join(folder, name))]
        return (*ignores, _Patterns(folder, lines)) if lines else ignores

    def _lines(self, file: str) -> list[str]:
        return _ignore_lines(file) if self._respect_ignore_files else []
