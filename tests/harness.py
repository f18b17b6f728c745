"""Lint small projects written to a temporary folder, as a user's run would."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubelint_ack import catalog, config, configfile, engine, sources
from kubelint_ack.engine import Outcome

MARK = re.compile(r"[ \t]*#\s*<- (?:(\d+) )?findings?[ \t]*$", re.MULTILINE)


def marked_lines(text: str) -> list[int]:
    """Lines that a text marks, one entry for each finding expected there."""
    found: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        match = MARK.search(line)
        if match:
            found += [number] * int(match[1] or 1)
    return found


def unmarked(text: str) -> str:
    """The text without its marks; lines stay where they are."""
    return MARK.sub("", text)


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below a folder, marks taken out."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else unmarked(text).encode())


def lint(
    folder: Path,
    paths: Sequence[str] = (),
    *,
    select: Sequence[str] = ("ALL",),
    presets: Sequence[str] = (),
    jobs: int = 1,
    context: bool = True,
) -> Outcome:
    """The outcome of linting paths (relative to the folder; none: the folder), the folder being the root."""
    root = str(folder)
    found = config.find_config(root)
    settings = configfile.load(found, root, explicit=False) if found else config.DEFAULT
    inputs = sources.collect(
        [os.path.join(root, path) for path in paths] or [root],
        root=root,
        has_root=True,
        exclude=(".kubelint-ack.yaml", "cluster.yaml"),
        force_exclude=False,
        respect_gitignore=True,
        stdin_filename=None,
        stdin=None,
        context=None,
        with_context=context,
    )
    active = catalog.select(presets=presets, select=select, settings=settings.rules)
    return engine.run(engine.Request(inputs, settings, active, jobs=jobs))
