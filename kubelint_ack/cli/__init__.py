"""The command line: the only package that knows click. The module of a command is imported when it is asked for."""

from __future__ import annotations

import gc
import importlib
import os
import sys

import click

from kubelint_ack import __version__
from kubelint_ack.cli.options import FAILED, INTERRUPTED, print_error, tell
from kubelint_ack.terminal import discard_stdout

COMMANDS = {
    "access": "queries",
    "check": "check",
    "explain": "pages",
    "init": "configure",
    "profile": "configure",
    "reach": "queries",
    "rule": "pages",
    "rules": "pages",
    "schema": "pages",
}
"""The module of every command; the command has its name there."""


class Commands(click.Group):
    """A group that imports a command when it is asked for, and whose command `check` may be left out."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(importlib.import_module(f"{__name__}.{COMMANDS[cmd_name]}"), cmd_name)
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front of arguments that name no command."""
        if not args or (args[0] not in COMMANDS and args[0] not in ("--help", "-h", "--version")):
            args = ["check", *args]
        return super().parse_args(ctx, args)


CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Commands, context_settings=CONTEXT, help=tell("cli.help.program"))
@click.version_option(__version__, prog_name="kubelint-ack", message="%(prog)s %(version)s")
def main() -> None:
    """The program."""


def _internal_error(error: Exception) -> str:
    """One line about a fault of ours."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return tell("cli.internal", error=type(error).__name__, where=where, url=BUGS)


BUGS = "https://github.com/kubelint-ack/kubelint-ack/issues"


def entry() -> None:
    """The console script: exit codes and streams as users of linters expect them."""
    # Streams that were closed before the start (`>&-`) are None.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115  it lives as long as the process
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    # A run is short and what it builds holds no cycles: collecting garbage would only cost time.
    gc.disable()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        discard_stdout()
        sys.exit(0)
    except click.ClickException as error:
        error.show()
        sys.exit(FAILED)
    except OSError as error:
        discard_stdout()
        print_error(error.strerror or str(error))
        sys.exit(FAILED)
    except Exception as error:  # no traceback reaches a user
        print_error(_internal_error(error))
        sys.exit(FAILED)
    finally:
        # Python's last collection would look through all that was built, right before the process ends.
        gc.freeze()
    sys.exit(0)
