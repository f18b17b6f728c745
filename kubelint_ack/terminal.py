"""The terminal and the CI system that a run finds itself in: colours, width, progress."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from kubelint_ack.language import Language
from kubelint_ack.words import say


def ci_system() -> str:
    """The CI system that runs us, as far as reports treat it differently; empty: none."""
    for variable, name in (
        ("GITHUB_ACTIONS", "github"),
        ("GITLAB_CI", "gitlab"),
        ("TF_BUILD", "azure"),
        ("JENKINS_URL", "jenkins"),
        ("GITEE_PIPELINE_NAME", "gitee"),
    ):
        if os.environ.get(variable):
            return name
    if all(os.environ.get(variable) for variable in ("PIPELINE_ID", "BUILD_NUMBER", "PROJECT_DIR")):
        return "flow"
    return "ci" if os.environ.get("CI") else ""


def wants_color(terminal: bool) -> bool:
    """Colour as the environment asks: NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM=dumb, else on a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0") or os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


def terminal_width(stream: Any) -> int:
    """Columns for a report, from 60 to 200: those of the terminal behind a stream, COLUMNS, else 100 (None: a file)."""
    width = 100
    if stream is not None and stream.isatty():
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):
            width = 80
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        width = int(columns)
    return min(max(width, 60), 200)


def discard_stdout() -> None:
    """Lead what is still written to standard output nowhere, also at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Progress:
    """One line on standard error once the work has lasted a second, redrawn at most ten times a second."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._started = self._drawn = time.monotonic()
        self._visible = False

    def __call__(self, done: int, total: int) -> None:
        """Show how many files are done."""
        now = time.monotonic()
        if now - self._started >= 1 and now - self._drawn >= 0.1:
            self._drawn = now
            self._visible = True
            bar = "━" * (20 * done // max(total, 1))
            line = say(self._language, "cli.progress", done=done, total=total)
            sys.stderr.write(f"\r\x1b[K{bar:<20} {line}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
