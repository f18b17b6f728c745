"""What the commands share: options and what they take, words, and failures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from kubelint_ack.language import Language, environment_language
from kubelint_ack.words import say

FORMATS = ("text", "concise", "json", "sarif", "github")
LEVELS = ("error", "warning", "info")
PRESETS = ("default", "ack", "security", "reliability", "strict")

FOUND, FAILED, INTERRUPTED = 1, 2, 130
"""Exit codes."""

HELP_LANGUAGE = environment_language()
"""The language of the environment."""


def tell(key: str, **values: object) -> str:
    """A text in the language of the environment."""
    return say(HELP_LANGUAGE, key, **values)


def print_error(message: str) -> None:
    """Print an error to standard error, after the program's name."""
    click.echo(f"kubelint-ack: {tell('cli.error')}: {message}", err=True)


class Failure(click.ClickException):
    """What the user must change: printed to standard error, exit code 2."""

    exit_code = FAILED

    def show(self, file: Any = None) -> None:
        """Print every line of the message after the program's name."""
        for line in self.message.splitlines():
            print_error(line)


def option(*names: str, env: str = "", **settings: Any) -> Callable[[Any], Any]:
    """An option with its help from the catalogue and its environment variable."""
    long = max(names, key=len).split("/")[0].lstrip("-")
    settings.setdefault("help", tell(f"cli.help.{long}"))
    variable = env or f"KUBELINT_ACK_{long.upper().replace('-', '_')}"
    return click.option(*names, envvar=variable, show_envvar=True, **settings)


def words_of(values: Iterable[str]) -> tuple[str, ...]:
    """Options that may be repeated and hold lists with commas, flattened."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def language_of(given: str | None, configured: str | None = None) -> tuple[Language, bool]:
    """The language, and whether somebody asked for it (machine formats stay English otherwise)."""
    chosen = given or configured
    if chosen in ("en", "zh"):
        return ("zh" if chosen == "zh" else "en"), True
    return HELP_LANGUAGE, False
