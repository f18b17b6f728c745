"""Collect the sources of small folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubelint_ack.files import Inputs
from kubelint_ack.sources import collect

MANIFEST = "apiVersion: v1\nkind: Service\n"
posix_only = pytest.mark.skipif(os.name == "nt", reason="needs POSIX files")


def write(root: Path, *names: str, text: str = MANIFEST) -> None:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def run(*paths: str, root: Path | None = None, has_root: bool = True, **options: object) -> Inputs:
    return collect(paths, root=str(root or Path.cwd()), has_root=has_root, **options)  # type: ignore[arg-type]


def scope(*paths: str, **options: object) -> list[str]:
    return [source.path for source in run(*paths, **options).scope]  # type: ignore[arg-type]


def context(*paths: str, **options: object) -> list[str]:
    return [source.path for source in run(*paths, **options).context]  # type: ignore[arg-type]
