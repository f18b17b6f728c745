"""The commands that write a configuration: a commented one, and the cluster section from dumps of kubectl."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from kubelint_ack.cli.options import FAILED, Failure, language_of, option, print_error, tell
from kubelint_ack.files import write_whole


@click.command(help=tell("cli.help.init"))
@click.argument("directory", default=".")
@click.option(
    "--ci", multiple=True, type=click.Choice(("github", "gitlab", "pre-commit")), help=tell("cli.help.init-ci")
)
@option("--lang", type=click.Choice(("en", "zh")))
def init(directory: str, ci: Sequence[str], lang: str | None) -> None:
    """Write a commented configuration."""
    from kubelint_ack import config, starter

    language, _ = language_of(lang)
    wanted = [(".kubelint-ack.yaml", starter.init_text(language)), *(starter.ci_snippet(host) for host in ci)]
    if not os.path.isdir(directory):
        raise Failure(tell("cli.no-directory", path=directory))
    try:
        existing = config.find_config(directory, language)
    except config.ConfigError as error:
        raise Failure("\n".join(error.messages)) from None
    failed = False
    for name, text in wanted:
        path = os.path.join(directory, name)
        taken = existing if existing and name == ".kubelint-ack.yaml" else path
        if os.path.lexists(taken):
            failed = True
            print_error(tell("cli.exists", path=taken))
            continue
        try:
            write_whole(path, text)
        except OSError as error:
            raise Failure(tell("cli.output", path=path, reason=error.strerror or str(error))) from None
        click.echo(tell("cli.wrote", path=path), err=True)
    if failed:
        sys.exit(FAILED)


@click.command(help=tell("cli.help.profile"), short_help=tell("cli.help.profile-short"))
@click.argument("dumps", nargs=-1, type=click.UNPROCESSED)
@click.option("--output", "-o", metavar="FILE", help=tell("cli.help.profile-output"))
def profile(dumps: Sequence[str], output: str | None) -> None:
    """Build the cluster section from dumps of kubectl."""
    from kubelint_ack import discover
    from kubelint_ack.decode import decode
    from kubelint_ack.files import printable

    read: list[Any] = []
    for path in dumps or ("-",):
        try:
            if path == "-":
                data = sys.stdin.buffer.read()
            else:
                with open(path, "rb") as file:
                    data = file.read()
        except OSError as error:
            raise Failure(f"{printable(path)}: {error.strerror or error}") from None
        decoded = decode(data, max_bytes=500_000_000, max_nodes=10_000_000)
        for document in decoded.documents:
            for problem in document.problems:
                if document.failed:
                    where = f"{printable(path)}:{problem.span.line}:{problem.span.column}"
                    raise Failure(tell("cli.not-a-dump", where=where))
            read.append(document.data)
    found = discover.discover(read)
    if not found.counts:
        raise Failure(tell("cli.empty-dump"))
    text = discover.render(found)
    if output:
        if os.path.lexists(output):
            raise Failure(tell("cli.exists", path=output))
        try:
            write_whole(output, text)
        except OSError as error:
            raise Failure(tell("cli.output", path=output, reason=error.strerror or str(error))) from None
        click.echo(tell("cli.wrote", path=output), err=True)
    else:
        click.echo(text, nl=False)
