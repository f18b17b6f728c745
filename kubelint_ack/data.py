"""The files that come with the program: rules, schemas and the catalogues of ACK facts.

A checkout, also one installed in editable mode, reads the files where they are edited; an installed wheel reads
its own copies under `_data/`, so neither ever sees a stale copy.
"""

from __future__ import annotations

import os
from functools import cache

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_CHECKOUT = os.path.dirname(_PACKAGE)


@cache
def is_checkout() -> bool:
    """Whether the program runs from its source tree: an installed copy has its data in the package."""
    return not os.path.isdir(os.path.join(_PACKAGE, "_data"))


def read_data(path: str) -> bytes:
    """The content of a data file, `schemas/profile.schema.json`: always with `/`, relative to the source tree.

    Raises FileNotFoundError: then the installation is incomplete, or the name is wrong.
    """
    with open(data_path(path), "rb") as file:
        return file.read()


def data_path(path: str) -> str:
    """Where a data file is on this machine."""
    return os.path.join(_root(), *path.split("/"))


def data_files(prefix: str) -> list[str]:
    """The paths for `read_data` of all files in a folder and below, sorted; empty if there is no such folder."""
    root = _root()
    found = []
    for folder, _, names in os.walk(os.path.join(root, *prefix.split("/"))):
        relative = os.path.relpath(folder, root).replace(os.sep, "/")
        found += [f"{relative}/{name}" for name in names if not name.startswith(".")]
    return sorted(found)


def _root() -> str:
    return _CHECKOUT if is_checkout() else os.path.join(_PACKAGE, "_data")
