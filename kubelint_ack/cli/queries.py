"""The commands that answer questions about the project: who reaches a Service, and who may reach whom."""

from __future__ import annotations

from typing import Any

import click

from kubelint_ack.cli.options import Failure, tell
from kubelint_ack.cli.settings import project_options, read_projects
from kubelint_ack.words import say


@click.command(help=tell("access.help"), short_help=tell("access.help-short"))
@click.argument("service", required=False)
@click.option(
    "--format", "-f", "format", type=click.Choice(("text", "json")), default="text", help=tell("cli.help.rule-format")
)
@project_options
def access(service: str | None, format: str, **given: Any) -> None:
    """Show the ways to Services."""
    from kubelint_ack.queries.access import access as ways
    from kubelint_ack.report.access import access_data, access_text

    language, targets = read_projects(given)
    found: list[tuple[str, Any]] = []
    known: dict[str, None] = {}
    for target, project, profile in targets:
        for one in project.services:
            namespace, name = project.namespace(one), one.name or ""
            label = f"{namespace}/{name}" if namespace else name
            known[label] = known[name] = None
            if service in (None, label, name):
                found.append((target.overlay, ways(one, project, profile)))
    if not found:
        from kubelint_ack.values import nearest

        near = nearest(service or "", known)
        if service is None:
            raise Failure(say(language, "access.none"))
        raise Failure(say(language, "access.near" if near else "access.unknown", name=service, near=near))
    if format == "json":
        import json

        click.echo(json.dumps(access_data(found, language), ensure_ascii=False, indent=2))
        return
    for piece in access_text(found, language):
        click.echo(piece, nl=False)


@click.command(help=tell("reach.help"), short_help=tell("reach.help-short"))
@click.argument("source", required=False, metavar="[FROM]")
@click.argument("target", required=False, metavar="[TO]")
@click.option("--namespace", "-n", default="default", metavar="NAME", help=tell("reach.help-namespace"))
@click.option(
    "--format",
    "-f",
    "format",
    type=click.Choice(("text", "json", "mermaid")),
    default="text",
    help=tell("cli.help.rule-format"),
)
@project_options
def reach(source: str | None, target: str | None, namespace: str, format: str, **given: Any) -> None:
    """Show who may reach whom."""
    from kubelint_ack.queries.enforcement import is_enforced
    from kubelint_ack.queries.flows import Flows, UnknownPartyError, open_ends
    from kubelint_ack.report.reach import Answer, reach_data, reach_mermaid, reach_text

    language, targets = read_projects(given)
    found: list[Answer] = []
    unknown: UnknownPartyError | None = None
    for one, project, profile in targets:
        flows = Flows(project, namespace)
        try:
            connections = list(flows.all(source, target))
        except UnknownPartyError as error:
            unknown = error if unknown is None or error.near else unknown
            continue
        if flows.ends:
            enforced, policies = is_enforced(profile), len(project.policies)
            found.append(
                Answer(
                    one.overlay or one.unit.name,
                    connections,
                    open_ends(flows),
                    flows.answers.hidden,
                    enforced,
                    policies,
                )
            )
    if not found:
        if unknown is None:
            raise Failure(say(language, "reach.none"))
        key = "reach.near" if unknown.near else "reach.unknown"
        raise Failure(say(language, key, name=unknown.name, near=unknown.near))
    if format == "json":
        import json

        click.echo(json.dumps(reach_data(found), ensure_ascii=False, indent=2))
        return
    pieces = reach_mermaid(found, language)
    if format == "text":
        pieces = reach_text(found, language, every=source is not None or target is not None)
    for piece in pieces:
        click.echo(piece, nl=False)
