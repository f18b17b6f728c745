"""Findings to words: one module per output format, each with `render(run, options)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from kubelint_ack.report.run import Options, Run

FORMATS = {"text": "text", "concise": "concise", "json": "jsonfile", "sarif": "sarif", "github": "github"}
"""Each format and the module here that writes it."""

MACHINE_FORMATS = frozenset({"json", "sarif", "github"})
"""Read by programs: English unless a language was asked for, whatever the environment says."""


def render(format: str, run: Run, options: Options) -> Iterable[str]:
    """The pieces of a report, to be written one after the other; `run.rules` and `run.language` fix its language."""
    renderer: Callable[[Run, Options], Iterable[str]] = import_module(f"{__name__}.{FORMATS[format]}").render
    return renderer(run, options)
