"""The settings of a run, and the file that they are in: one per run, at the root or named by the user."""

# As in records.py, annotations are not postponed.

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kubelint_ack.files import Source, Unreadable, printable, read
from kubelint_ack.language import Language
from kubelint_ack.records import FieldPath, Place, Route, Severity, Span, field_text
from kubelint_ack.words import say

if TYPE_CHECKING:
    from kubelint_ack.origins import Origin

NAMES = (".kubelint-ack.yaml", "kubelint-ack.yaml")
MISSPELT_NAMES = (".kubelint-ack.yml", "kubelint-ack.yml")
PYPROJECT = "pyproject.toml"
TABLE = ("tool", "kubelint-ack")

LARGEST = 1_000_000
"""Bytes of the configuration and all profiles together; real ones have a few thousand."""
TOOLS = ("kube-linter", "kube-score", "polaris", "checkov", "trivy")
"""Linters whose suppressions we can read."""


class ConfigError(Exception):
    """The configuration cannot be used."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("\n".join(messages))
        self.messages = list(messages)
        """Each `path:line:column: what is wrong; what to do`, in the order of the file."""


class Cluster(NamedTuple):
    """What is declared about a cluster, as data, and where."""

    data: Mapping[str, Any] = {}
    origins: Mapping[str, "Origin"] = {}
    """By top-level key: an environment's keys replace those of the base profile."""
    default: "Origin | None" = None
    """Where the profile as a whole was written, for what is in none of its keys; None: nowhere."""

    def locate(self, path: FieldPath) -> tuple[str, Place]:
        """The file and place of a field of the profile; an empty path and line 1 if there is no profile."""
        origin = self.origins.get(str(path.route[0])) if path.route else None
        origin = origin or self.default
        if origin is None:
            field = field_text(path.route)
            return "", Place(Span(1, 1, 1, 1), field, field)
        return origin.path, origin.place(path)


class Environment(NamedTuple):
    """A unit that was configured by hand."""

    name: str
    paths: tuple[str, ...]
    """Files, folders and globs relative to the root."""
    cluster: Cluster
    complete: bool | tuple[str, ...]


class Override(NamedTuple):
    """Settings for some files or namespaces."""

    files: tuple[str, ...]
    """gitignore patterns relative to the root; empty: all files."""
    namespaces: tuple[str, ...]
    """Names, with `*` for any characters; empty: all."""
    select: tuple[str, ...]
    """The only rules there; empty: all that are on."""
    ignore: tuple[str, ...]
    severity: Mapping[str, Severity]
    """By rule name."""


class Config(NamedTuple):
    """The settings of a run; what was not set has its default."""

    path: str | None = None
    """As reports show it; None: there is no configuration."""
    digest: str = ""
    """SHA-256 of all files that it was read from, for cache keys."""
    cluster: Cluster = Cluster()
    environments: tuple[Environment, ...] = ()
    complete: bool | tuple[str, ...] = False
    presets: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Severity | None = None
    exclude: tuple[str, ...] = ()
    """gitignore patterns relative to the root, like the next two."""
    extend_exclude: tuple[str, ...] = ()
    context: tuple[str, ...] | None = None
    """None: every manifest under the root; empty: nothing."""
    overrides: tuple[Override, ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = {}
    """By rule name: `severity`, and the rule's own options."""
    honor: tuple[str, ...] = TOOLS
    require_reason: bool = False
    fail_on: Literal["error", "warning", "info", "never"] | None = None
    format: str | None = None
    output: tuple[str, ...] = ()
    """`FORMAT=PATH` as `--output` takes it, the paths absolute."""
    lang: Language | None = None
    kubernetes_versions: tuple[str, ...] = ()
    workloads: Mapping[tuple[str, str], tuple[Route, ...]] = {}
    """Further kinds with pod templates: (group, kind) to their routes, in which `*` is any item."""
    schemas: tuple[str, ...] = ()
    """Files and folders with CustomResourceDefinitions, relative to the root."""
    max_file_size: int = 10_000_000
    """Bytes."""
    jobs: int = 0
    """Processes; 0: as many as pay."""
    cache: bool = True


DEFAULT = Config()
"""The settings where there is no configuration."""


# --- finding it


def find_config(root: str, language: Language = "en") -> str | None:
    """The configuration file of a folder; None if it has none. `pyproject.toml` counts only with our table.

    Raises ConfigError if there are two, or one whose name ends with `.yml`: none is passed over in silence.
    """
    found = [os.path.join(root, name) for name in NAMES if os.path.lexists(os.path.join(root, name))]
    for name in MISSPELT_NAMES:
        path = os.path.join(root, name)
        if os.path.lexists(path):
            rename = f"{name.removesuffix('.yml')}.yaml"
            raise ConfigError([f"{printable(path)}: {say(language, 'config.rename', name=rename)}"])
    pyproject = os.path.join(root, PYPROJECT)
    if os.path.isfile(pyproject) and _has_table(pyproject):
        found.append(pyproject)
    if len(found) > 1:
        first, second = (os.path.basename(path) for path in found[:2])
        raise ConfigError([f"{printable(found[0])}: {say(language, 'config.two', first=first, second=second)}"])
    return found[0] if found else None


def _has_table(path: str) -> bool:
    from kubelint_ack.origins import has_toml_table

    try:
        return has_toml_table(read(Source(path, os.path.realpath(path), True), LARGEST), TABLE)
    except Unreadable:
        return False


def find_config_upwards(start: str, language: Language = "en") -> str | None:
    """The configuration file of the nearest folder that has one, from `start` to the top; None if there is none.

    Raises ConfigError as `find_config` does.
    """
    folder = os.path.abspath(start)
    while True:
        found = find_config(folder, language)
        above = os.path.dirname(folder)
        if found or above == folder:
            return found
        folder = above
