"""Which files a run reads: arguments, patterns, folders and standard input become sources.

Collecting opens nothing but ignore files; a source's bytes come from `read` when it is scanned. Every path in the
result is resolved, so that a file reached over several names or links is read and reported once.
"""

# As in records.py, annotations are not postponed.

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from kubelint_ack.files import InputError, Inputs, Skipped, Source, folder_prefix, is_below, kind_of, printable
from kubelint_ack.ignore import IGNORE_FILES, VERSION_CONTROL, Ignores, LeftOut, file_filter, repository_of

EXTENSIONS = (".yaml", ".yml", ".json")
"""What a name ends with, in any case, to be found by walking."""


# --- the root -------------------------------------------------------------------------------------------------------


def find_root(
    paths: Sequence[str], root_option: str | None, config: str | None, *, stdin_filename: str | None = None
) -> tuple[str, bool]:
    """The root, resolved, that report paths are relative to, and whether all of it is context.

    `--root`, else the nearest folder above the inputs with a `.git` folder or file, else the folder of the
    configuration file if the inputs are below it; these count as a root. Otherwise the current directory when all
    inputs are below it, else their common parent. Where inputs lie in several repositories, one around the current
    directory wins, then the first by name, so that the order of arguments does not matter.

    Raises InputError when `--root` is not a directory.
    """
    if root_option is not None:
        if not os.path.isdir(root_option):
            raise InputError(f"{printable(root_option)}: --root must be an existing directory{_nearest(root_option)}")
        return os.path.realpath(root_option), True
    current = _current_directory()
    # As written before resolved: a link that leads out of a repository belongs to that repository.
    repositories = {
        repository
        for folder in _folders(paths, stdin_filename)
        if (repository := repository_of(folder) or repository_of(os.path.realpath(folder))) is not None
    }
    if repositories:
        return min(repositories, key=lambda repository: (not is_below(current, repository), repository)), True
    parent = os.path.realpath(common_parent(paths, stdin_filename=stdin_filename))
    if config is not None:
        folder = os.path.dirname(os.path.realpath(config))
        if is_below(parent, folder):
            return folder, True
    return (current if is_below(parent, current) else parent), False


def common_parent(paths: Sequence[str], *, stdin_filename: str | None = None) -> str:
    """The deepest folder above all inputs, absolute: where the search for a configuration file begins."""
    try:
        return os.path.commonpath(_folders(paths, stdin_filename))
    except ValueError:  # several drives
        return _current_directory()


def _folders(paths: Sequence[str], stdin_filename: str | None) -> set[str]:
    """The folders that the inputs are or lie in, absolute, links not resolved."""
    current = _current_directory()
    folders = set()
    for path in paths or (".",):
        path = (stdin_filename or ".") if path == "-" else path
        path = os.path.normpath(os.path.join(current, path))
        if _is_glob(path):
            path = _split_glob(path)[0]
        folders.add(path if os.path.isdir(path) else os.path.dirname(path))
    return folders


def _current_directory() -> str:
    try:
        return os.path.realpath(os.getcwd())
    except OSError:
        raise InputError("the current directory does not exist any more: change to another one") from None


def _nearest(path: str) -> str:
    """`; did you mean …?` for a path that does not exist, or nothing."""
    import difflib

    existing, missing = path.rstrip(os.sep), ""
    while existing and not os.path.isdir(existing):
        existing, name = os.path.split(existing)
        missing = os.path.join(name, missing) if missing else name
    first, _, rest = missing.partition(os.sep)
    try:
        names = sorted(os.listdir(existing or "."))
    except OSError:
        return ""
    for name in difflib.get_close_matches(first, names):
        guess = os.path.join(existing, name, rest) if rest else os.path.join(existing, name)
        if os.path.exists(guess):
            return f"; did you mean {printable(guess)}?"
    return ""


def _is_glob(path: str) -> bool:
    """Has the path wildcards, and nothing exactly this name?"""
    return any(sign in path for sign in "*?[") and not os.path.lexists(path)


def _split_glob(path: str) -> tuple[str, list[str]]:
    """The folder in front of the first part with a wildcard, and the parts from there on."""
    parts = path.replace("/", os.sep).split(os.sep)
    first = next(index for index, part in enumerate(parts) if any(sign in part for sign in "*?["))
    return os.sep.join(parts[:first]) + os.sep, [part for part in parts[first:] if part]


# --- collecting -----------------------------------------------------------------------------------------------------


def collect(
    paths: Sequence[str],
    *,
    root: str,
    has_root: bool,
    exclude: Sequence[str] = (),
    force_exclude: bool = False,
    respect_gitignore: bool = True,
    stdin_filename: str | None = None,
    stdin: bytes | None = None,
    context: Sequence[str] | None = None,
    with_context: bool = True,
) -> Inputs:
    """Turn arguments into the sources of a run.

    No path means the current directory; `-` is standard input, whose content is `stdin` and stands for the file
    `stdin_filename`. A named file is read whatever its name is. A folder gives the regular files in and below it with
    the extensions above, except what is excluded or ignored; symbolic links are followed as long as they stay in the
    root. A pattern (`*`, `?`, `[ab]`, `**`) gives what it matches of these, and files with other extensions if it
    spells the extension. `exclude` and `context` (None: everything) are gitignore patterns relative to the root.
    With `force_exclude`, exclude patterns and built-in excludes hold for named files too. Ignore files never do:
    git may track a file in spite of them.

    The result is the same for any order and repetition of `paths`. Raises InputError with a line for each path that
    does not exist and pattern that matches nothing, or for the first unusable gitignore pattern.
    """
    collector = _Collector(
        os.path.realpath(root), has_root, LeftOut(os.path.realpath(root), exclude, respect_gitignore), force_exclude
    )
    errors = []
    for path in sorted(set(paths or (".",)) - {"-"}):
        try:
            collector.add(path)
        except InputError as error:
            errors.append(str(error))
    if errors:
        raise InputError("\n".join(errors))
    collector.walk_named()
    if "-" in paths:
        collector.add_stdin(stdin_filename, stdin or b"")
    others = collector.walk_context(context) if has_root and with_context else ()
    return collector.inputs(others)


_Wanted = Callable[[str, bool], bool]
"""Is an entry with this name, being a folder or not, worth looking at?"""


class _Entry(NamedTuple):
    """An entry of a folder that is to be read or walked into."""

    path: str
    """Resolved."""
    shown: str
    folder: bool
    ignores: Ignores | None
    """The ignore files that hold where it is; None: to be looked up, it was reached over a link."""


class _Walk(NamedTuple):
    """What depends on where a walk started."""

    boundary: str
    """The folder that links may not lead out of."""
    excluding: bool
    """Exclude patterns hold: it did not start at an excluded folder."""


def _walkable(name: str, folder: bool) -> bool:
    return folder or name.endswith(EXTENSIONS) or name.lower().endswith(EXTENSIONS)


class _Collector:
    def __init__(self, root: str, has_root: bool, left_out: LeftOut, force_exclude: bool) -> None:
        self._root = root
        self._has_root = has_root
        self._left_out = left_out
        self._force_exclude = force_exclude
        self._current = _current_directory()
        self._scope: dict[str, Source] = {}
        self._skipped: dict[str, Skipped] | None = {}
        """By path; None while nothing is recorded."""
        self._starts: dict[str, bool] = {}
        """Folders to walk: named by the user (True) or matched by a pattern."""
        self._visited: set[str] = set()
        self._resolved: dict[str, str] = {}

    def add(self, path: str) -> None:
        """Take a path that the user named."""
        if not path or "\0" in path:
            raise InputError("a path is empty or holds a NUL character: leave it out")
        file = os.path.join(self._current, path)
        shown = self._show(os.path.normpath(file))
        try:
            mode = os.stat(file).st_mode
        except (FileNotFoundError, NotADirectoryError):
            if os.path.islink(file):
                target = printable(os.readlink(file))
                raise InputError(f"{printable(path)}: the symbolic link leads to {target}, which is missing") from None
            if _is_glob(file):
                self._add_matches(path)
                return
            raise InputError(f"{printable(path)}: no such file or directory{_nearest(path)}") from None
        except OSError as error:
            self._skip(shown, False, "unreadable", error.strerror or "", explicit=True)
            return
        folder = stat.S_ISDIR(mode)
        real = self._resolve(file)
        if self._leads_out(file, real):
            self._skip(shown, folder, "symlink-outside-root", explicit=True)
        elif self._force_exclude and self._left_out.excluded(self._show(real), folder):
            self._skip(self._show(real), folder, "excluded", explicit=True)
        elif folder:
            self._starts[real] = True
        elif stat.S_ISREG(mode):
            self._scope[real] = Source(self._show(real), real, True)
        else:
            self._skip(shown, False, "not-regular-file", kind_of(mode), explicit=True)

    def add_stdin(self, filename: str | None, data: bytes) -> None:
        """Take standard input in place of the file of this name, which need not exist."""
        if filename is None:
            self._scope[""] = Source("<stdin>", "", True, data)
            return
        real = self._resolve(os.path.join(self._current, filename))
        if self._force_exclude and self._left_out.excluded(self._show(real), False):
            self._skip(self._show(real), False, "excluded", explicit=True)
        else:
            self._scope[real] = Source(self._show(real), "", True, data)

    def walk_named(self) -> None:
        """Walk the folders that were named or matched, outer ones first."""
        for start in sorted(self._starts):
            self._walk(start, self._scope)

    def walk_context(self, patterns: Sequence[str] | None) -> Iterable[Source]:
        """The files of the root that are not in the scope, only those that match a pattern where there are some."""
        limit = None if patterns is None else file_filter("context", patterns)
        found: dict[str, Source] = {}
        skipped, self._skipped = self._skipped, None
        self._walk(self._root, found)
        self._skipped = skipped
        return [
            source
            for real, source in found.items()
            if real not in self._scope and (limit is None or limit(source.path))
        ]

    def inputs(self, context: Iterable[Source]) -> Inputs:
        """What was collected."""
        scope = tuple(sorted(self._scope.values()))
        # What a pattern or a walk left out may have been named as well.
        taken = {source.path for source in scope}
        skipped = sorted(entry for entry in (self._skipped or {}).values() if entry.path not in taken)
        return Inputs(self._root, self._has_root, scope, tuple(sorted(context)), tuple(skipped))

    def _walk(self, start: str, into: dict[str, Source]) -> None:
        walk = self._walk_from(start)
        pending: list[tuple[str, Ignores | None]] = [(start, None)]
        while pending:
            folder, above = pending.pop()
            if folder in self._visited:
                continue
            self._visited.add(folder)
            for entry in self._entries(folder, above, walk, _walkable):
                if entry.folder:
                    pending.append((entry.path, entry.ignores))
                elif entry.path not in into:
                    into[entry.path] = Source(entry.shown, entry.path, False)

    def _add_matches(self, pattern: str) -> None:
        """Take what a pattern matches: files, and folders to walk."""
        import fnmatch

        written, parts = _split_glob(os.path.join(self._current, pattern))
        head = os.path.realpath(written)
        if self._leads_out(written, head):
            self._skip(self._show(os.path.normpath(written)), True, "symlink-outside-root", explicit=True)
            return
        names = [re.compile(fnmatch.translate(os.path.normcase(part))) for part in parts]
        extension = os.path.splitext(parts[-1])[1]
        any_extension = extension != "" and not any(sign in extension for sign in "*?[")
        walk = self._walk_from(head)
        found = False

        def wanted(index: int) -> _Wanted:
            final = index == len(parts) - 1
            if parts[index] == "**":
                return lambda name, folder: folder or (final and _walkable(name, False))
            matches = names[index].match
            return lambda name, folder: (
                matches(os.path.normcase(name)) is not None
                and (folder or (final and (any_extension or _walkable(name, False))))
            )

        pending: list[tuple[str, Ignores | None, int]] = [(head, None, 0)] if os.path.isdir(head) else []
        done = set()
        while pending:
            folder, above, index = pending.pop()
            if (folder, index) in done:
                continue
            done.add((folder, index))
            any_depth = parts[index] == "**"
            final = index == len(parts) - 1
            if any_depth and not final:
                pending.append((folder, above, index + 1))
            for entry in self._entries(folder, above, walk, wanted(index)):
                if entry.folder and not (final and not any_depth):
                    pending.append((entry.path, entry.ignores, index if any_depth else index + 1))
                    continue
                found = True
                if entry.folder:
                    self._starts.setdefault(entry.path, False)
                else:
                    self._scope.setdefault(entry.path, Source(entry.shown, entry.path, False))
        if not found:
            raise InputError(
                f"{printable(pattern)}: no file matches this pattern (what is excluded or ignored does not count)"
            )

    def _entries(self, folder: str, above: Ignores | None, walk: _Walk, wanted: _Wanted) -> Iterator[_Entry]:
        """The wanted entries of a folder that are not left out. `above`: the ignore files that hold around it."""
        shown_folder = self._show(folder)
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError as error:
            named = self._starts.get(folder, False)
            self._skip(shown_folder, True, "unreadable", error.strerror or "", explicit=named)
            return
        left_out = self._left_out
        if above is None:
            ignores, _ = left_out.ignores(folder)
        elif any(entry.name in IGNORE_FILES for entry in entries):
            ignores = left_out.with_own(folder, above)
        else:
            ignores = above
        # Outside the root the first part of a path decides how it is shown.
        prefix = None if not is_below(folder, self._root) else "" if folder == self._root else shown_folder + "/"
        for entry in entries:
            name = entry.name
            path = entry.path
            shown = self._show(path) if prefix is None else prefix + name
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                is_link = not is_folder and entry.is_symlink()
                is_file = not is_folder and not is_link and entry.is_file(follow_symlinks=False)
                mode = 0 if is_folder or is_file else os.stat(path).st_mode
            except OSError as error:
                if wanted(name, False):
                    missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
                    self._skip(shown, False, "missing" if missing else "unreadable", error.strerror or "")
                continue
            is_folder = is_folder or stat.S_ISDIR(mode)
            if not wanted(name, is_folder):
                continue
            detail = left_out.excludes(shown, name, is_folder, walk.excluding)
            if detail is not None:
                if name not in VERSION_CONTROL:
                    self._skip(shown, is_folder, "excluded", detail)
            elif ignores and left_out.ignored(ignores, path, is_folder):
                self._skip(shown, is_folder, "gitignored")
            elif mode and not is_folder and not stat.S_ISREG(mode):
                self._skip(shown, False, "not-regular-file", kind_of(mode))
            elif not is_link:
                yield _Entry(path, shown, is_folder, ignores)
            else:
                real = os.path.realpath(path)
                if not is_below(real, walk.boundary):
                    self._skip(shown, is_folder, "symlink-outside-root")
                elif is_folder and is_below(folder, real):
                    continue  # a loop
                elif reason := self._left_out_by(real, is_folder):
                    self._skip(shown, is_folder, reason)
                else:
                    yield _Entry(real, self._show(real), is_folder, None)

    def _left_out_by(self, path: str, folder: bool) -> str:
        """`excluded` or `gitignored` if walking from the root would not come to this path, else empty."""
        if self._left_out.excluded(self._show(path), folder):
            return "excluded"
        ignores, ignored = self._left_out.ignores(os.path.dirname(path))
        return "gitignored" if ignored or self._left_out.ignored(ignores, path, folder) else ""

    def _walk_from(self, start: str) -> _Walk:
        return _Walk(
            boundary=self._root if is_below(start, self._root) else start,
            excluding=not self._left_out.excluded(self._show(start), True),
        )

    def _leads_out(self, file: str, real: str) -> bool:
        """Is a path, as written, in the root, and its file over links outside? Others may be named anywhere."""
        folder = os.path.normpath(file)
        outside = self._has_root and not is_below(real, self._root)
        while outside and (above := os.path.dirname(folder)) != folder:
            if is_below(os.path.realpath(above), self._root):
                return True
            folder = above
        return False

    def _resolve(self, file: str) -> str:
        """Like `os.path.realpath`, resolving the folder of many files once."""
        folder, name = os.path.split(file)
        if name in ("", ".", ".."):
            return os.path.realpath(file)
        if folder not in self._resolved:
            self._resolved[folder] = os.path.realpath(folder)
        path = os.path.join(self._resolved[folder], name)
        return os.path.realpath(path) if os.path.islink(path) else path

    def _show(self, path: str) -> str:
        """The report path of an absolute path."""
        if path == self._root:
            return "."
        if path.startswith(folder_prefix(self._root)):
            path = path[len(folder_prefix(self._root)) :]
        elif path.startswith(folder_prefix(self._current)):
            relative = path[len(folder_prefix(self._current)) :]
            # Two files must not have one name: what could also be a path of the root stays absolute.
            if not os.path.lexists(os.path.join(self._root, relative.split(os.sep, 1)[0])):
                path = relative
        return path if os.sep == "/" else path.replace(os.sep, "/")

    def _skip(self, shown: str, folder: bool, reason: str, detail: str = "", *, explicit: bool = False) -> None:
        if self._skipped is not None:
            path = shown.rstrip("/") + "/" if folder else shown
            if explicit or path not in self._skipped:
                self._skipped[path] = Skipped(path, reason, detail, explicit)
