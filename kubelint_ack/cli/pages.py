"""The commands that print what we ship: pages and the table of the rules, and schemas."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from kubelint_ack.cli.options import Failure, language_of, option, tell
from kubelint_ack.terminal import wants_color

SCHEMAS = ("config", "profile", "rule", "report", "reach", "access")


@click.command(help=tell("cli.help.explain"), short_help=tell("cli.help.explain-short"))
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help=tell("cli.help.rule-all"))
@option("--lang", type=click.Choice(("en", "zh")))
@click.option("--format", "-f", "format", type=click.Choice(("text", "json", "markdown")), default="text",
              help=tell("cli.help.rule-format"))  # fmt: skip
@option("--color", type=click.Choice(("auto", "always", "never")), default="auto")
def explain(names: Sequence[str], every: bool, lang: str | None, format: str, color: str) -> None:
    """Print the pages of rules and of annotations."""
    from kubelint_ack import catalog, docs
    from kubelint_ack.explain import key_data, key_page

    language, _ = language_of(lang)
    rules: dict[str, Any] = dict(catalog.rules()) if every else {}
    keys: list[Any] = []
    for name in () if every else names:
        chosen, entries = _named(name)
        rules.update((one.name, one) for one in chosen)
        keys += [entry for entry in entries if entry not in keys]
    if not rules and not keys:
        raise Failure(tell("cli.name-a-rule"))
    if format == "json":
        import json

        found = [*(docs.rule_data(one, language) for one in rules.values()), *(key_data(one, language) for one in keys)]
        click.echo(json.dumps(found if every or len(found) > 1 else found[0], ensure_ascii=False, indent=2))
        return
    use_color = {"always": True, "never": False}.get(color, wants_color(sys.stdout.isatty()))
    pages = [*(docs.rule_page(one, language) for one in rules.values()), *(key_page(one, language) for one in keys)]
    for index, page in enumerate(pages):
        if index:
            click.echo()
        click.echo(page if format == "markdown" else docs.terminal_page(page, color=use_color), nl=False)


def _named(name: str) -> tuple[list[Any], list[Any]]:
    """The rules and rows of the catalogues of annotations that a word names: a name of ours goes before another tool's.

    Raises Failure with the nearest name if there is none.
    """
    from kubelint_ack import catalog
    from kubelint_ack.explain import find_key, nearest_key

    try:
        chosen, owner = catalog.find_rule(name)
        failure = ""
    except catalog.CatalogError as error:
        chosen, owner, failure = [], "", str(error)
    if chosen and not owner:
        return chosen, []
    entries = find_key(name)
    if entries:
        return [], entries
    if failure:
        near = nearest_key(name)
        if near and ("did you mean" not in failure or "/" in name):
            raise Failure(tell("cli.unknown-key", name=name, near=near))
        raise Failure(tell("cli.unknown-key-or-rule", name=failure))
    own = ", ".join(f"{one.name} ({one.code})" for one in chosen)
    click.echo(tell("cli.covered", tool=owner, name=name.removeprefix(f"{owner}:"), rules=own), err=True)
    return chosen, []


rule = click.Command(
    "rule",
    callback=explain.callback,
    params=explain.params,
    help=explain.help,
    short_help=tell("cli.help.rule-short"),
)


@click.command(help=tell("cli.help.rules"))
@option("--lang", type=click.Choice(("en", "zh")))
@click.option(
    "--format", "-f", "format", type=click.Choice(("text", "json")), default="text", help=tell("cli.help.rule-format")
)
def rules(lang: str | None, format: str) -> None:
    """List all rules."""
    from kubelint_ack import catalog, docs

    language, _ = language_of(lang)
    if format == "json":
        import json

        rows = [docs.rule_row(one, language) for one in catalog.rules().values()]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    click.echo(docs.rules_table(language), nl=False)


@click.command(help=tell("cli.help.schema"), short_help=tell("cli.help.schema-short"))
@click.argument("name", type=click.Choice(SCHEMAS))
def schema(name: str) -> None:
    """Print one of the JSON Schemas."""
    from kubelint_ack.data import read_data

    click.echo(read_data(f"schemas/{name}.schema.json").decode(), nl=False)
