"""The command `check`: lint manifests and report."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kubelint_ack.cli.options import (
    FAILED,
    FORMATS,
    FOUND,
    LEVELS,
    PRESETS,
    Failure,
    language_of,
    option,
    print_error,
    tell,
    words_of,
)
from kubelint_ack.cli.settings import check_versions, jobs_of, read_settings
from kubelint_ack.files import write_whole
from kubelint_ack.present import in_english, not_read, report_run
from kubelint_ack.terminal import Progress, ci_system, discard_stdout, terminal_width, wants_color
from kubelint_ack.words import say

if TYPE_CHECKING:
    from kubelint_ack.config import Config
    from kubelint_ack.engine import Outcome
    from kubelint_ack.files import Inputs
    from kubelint_ack.records import Severity
    from kubelint_ack.report.run import Options, Run


@click.command(help=tell("cli.help.check"), short_help=tell("cli.help.check-short"))
@click.argument("paths", nargs=-1, type=click.UNPROCESSED)
@option("--format", "-f", "format", type=click.Choice(FORMATS))
@option("--output", "-o", multiple=True, metavar="FORMAT=PATH")
@option("--preset", multiple=True, metavar="NAME[,…]")
@option("--select", multiple=True, metavar="RULE[,…]")
@option("--extend-select", multiple=True, metavar="RULE[,…]")
@option("--ignore", multiple=True, metavar="RULE[,…]")
@option("--severity", type=click.Choice(LEVELS))
@option("--fail-on", type=click.Choice((*LEVELS, "never")))
@option("--fail-on-unchecked", is_flag=True)
@option("--error-on-no-manifests", is_flag=True)
@option("--kubernetes-version", multiple=True, metavar="1.N[,…]")
@option("--config", metavar="FILE")
@option("--isolated", is_flag=True)
@option("--root", metavar="DIR")
@option("--stdin-filename", metavar="PATH")
@option("--exclude", multiple=True, metavar="PATTERN")
@option("--extend-exclude", multiple=True, metavar="PATTERN")
@option("--force-exclude", is_flag=True)
@option("--no-respect-gitignore", is_flag=True)
@option("--context", multiple=True, metavar="PATTERN")
@option("--no-context", is_flag=True)
@option("--ignore-suppressions", is_flag=True)
@option("--show-suppressed", is_flag=True)
@option("--show-files", is_flag=True)
@option("--show-settings", is_flag=True)
@option("--statistics", is_flag=True)
@option("--quiet", "-q", is_flag=True)
@option("--color", type=click.Choice(("auto", "always", "never")), default="auto")
@option("--lang", type=click.Choice(("en", "zh")))
@option("--no-group", is_flag=True)
@option("--max-findings", type=click.IntRange(0), default=0, metavar="N")
@option("--hyperlinks", type=click.Choice(("auto", "always", "never")), default="auto")
@option("--no-progress", is_flag=True)
@option("--jobs", "-j", metavar="N|auto")
@option("--no-cache", is_flag=True)
@option("--sarif-category", metavar="NAME")
@option("--sarif-limit", type=click.IntRange(1, 25_000), default=5000, metavar="N")
@option("--repository-uri", metavar="URL")
@option("--revision", metavar="SHA")
def check(**given: Any) -> None:
    """Lint manifests."""
    sys.exit(_check(given))


def _check(given: Mapping[str, Any]) -> int:
    from kubelint_ack import catalog
    from kubelint_ack.config import ConfigError
    from kubelint_ack.files import InputError

    started = time.monotonic()
    language, explicit_language = language_of(given["lang"])
    try:
        config, inputs = read_settings(given)
        language, explicit_language = language_of(given["lang"], config.lang)
        _check_presets(words_of(given["preset"]))
        minimum: Severity = given["severity"] or config.severity or "info"
        active = catalog.select(
            presets=words_of(given["preset"]) or config.presets,
            select=words_of(given["select"]) or config.select,
            extend_select=(*config.extend_select, *words_of(given["extend_select"])),
            ignore=(*config.ignore, *words_of(given["ignore"])),
            # What an override makes graver must have run.
            minimum="info" if any(one.severity for one in config.overrides) else minimum,
            settings=config.rules,
        )
        versions = words_of(given["kubernetes_version"]) or config.kubernetes_versions
        check_versions(versions)
        outputs = _outputs(given["output"], config)
    except ConfigError as error:
        raise Failure("\n".join(error.messages)) from None
    except (catalog.CatalogError, InputError) as error:
        raise Failure(str(error)) from None
    if given["show_settings"]:
        return _show_settings(config, inputs, active, versions)
    if given["show_files"]:
        return _show_files(inputs)
    if not inputs.scope and not any(one.explicit for one in inputs.skipped):
        click.echo(f"kubelint-ack: {say(language, 'cli.no-files')}", err=True)
    try:
        outcome = _run(given, config, inputs, active, versions)
    except InputError as error:
        raise Failure(str(error)) from None
    run = report_run(outcome, active, inputs, language, explicit_language, time.monotonic() - started)
    failed = _write_reports(given, config, run, outputs, active, inputs)
    for entry in outcome.unreadable:
        problem = not_read(entry.path, entry.reason, entry.detail, language)
        click.echo(f"kubelint-ack: {say(language, 'cli.error')}: {problem}", err=True)
    return _exit_code(given, config, outcome, failed)


def _check_presets(names: Sequence[str]) -> None:
    from kubelint_ack.files import InputError
    from kubelint_ack.values import nearest

    for name in names:
        if name not in PRESETS:
            near = nearest(name, PRESETS)
            known = f"did you mean '{near}'?" if near else f"choose from {', '.join(PRESETS)}"
            raise InputError(f"--preset: unknown preset '{name}'; {known}")


def _outputs(given: Sequence[str], config: Config) -> list[tuple[str, str]]:
    """(format, path) of each `--output`. Raises InputError."""
    from kubelint_ack.files import InputError

    found = []
    for pair in given or config.output:
        format, equals, path = pair.partition("=")
        if not equals or not path:
            raise InputError(f"--output {pair}: write it as FORMAT=PATH, for example sarif=kubelint-ack.sarif")
        if path == "-":
            raise InputError(f"--output {pair}: --format says what standard output gets")
        if format not in FORMATS:
            from kubelint_ack.values import nearest

            near = nearest(format, FORMATS)
            raise InputError(
                f"--output {pair}: unknown format '{format}'" + (f"; did you mean '{near}'?" if near else "")
            )
        found.append((format, path))
    return found


CACHE_FROM = 40
"""Files from which the cache pays (reading it costs an import)."""


def _run(given: Mapping[str, Any], config: Config, inputs: Inputs, active: Any, versions: Sequence[str]) -> Outcome:
    from kubelint_ack import engine
    from kubelint_ack.files import InputError

    files = len(inputs.scope) + len(inputs.context)
    cache = None
    if files >= CACHE_FROM and not given["no_cache"] and config.cache:
        from kubelint_ack.cache import Cache

        cache = Cache(inputs.root)
    progress = None
    if not given["no_progress"] and not given["quiet"] and sys.stderr.isatty() and not ci_system():
        progress = Progress(language_of(None)[0])
    request = engine.Request(
        inputs,
        config,
        active,
        versions=tuple(versions),
        minimum=given["severity"] or config.severity or "info",
        jobs=jobs_of(given["jobs"], config),
        cache=cache,
        use_suppressions=not given["ignore_suppressions"],
        progress=progress,
    )
    try:
        return engine.run(request)
    except InputError as error:
        raise Failure(str(error)) from None
    finally:
        if progress is not None:
            progress.clear()


def _options(given: Mapping[str, Any], stream: Any) -> Options:
    """How the reader at a stream (None: a file) wants a report."""
    from kubelint_ack.report.run import Options

    terminal = stream is not None and stream.isatty()
    color = {"always": True, "never": False}.get(given["color"], False)
    if given["color"] == "auto" and stream is not None:
        color = wants_color(terminal)
    links = {"always": True, "never": False}.get(given["hyperlinks"], terminal and not ci_system() and color)
    return Options(
        color=color,
        width=terminal_width(stream),
        show_suppressed=given["show_suppressed"],
        quiet=given["quiet"],
        statistics=given["statistics"],
        hyperlinks=links,
        group=not given["no_group"],
        max_findings=given["max_findings"],
        ci=ci_system(),
        sarif_category=given["sarif_category"] or "",
        sarif_limit=given["sarif_limit"],
        repository_uri=given["repository_uri"] or "",
        revision=given["revision"] or "",
        step_summary=os.environ.get("GITHUB_STEP_SUMMARY", ""),
    )


def _write_reports(
    given: Mapping[str, Any],
    config: Config,
    run: Run,
    outputs: Sequence[tuple[str, str]],
    active: Any,
    inputs: Inputs,
) -> bool:
    """Write all reports; whether one of them could not be written (the others are)."""
    from kubelint_ack.report import MACHINE_FORMATS, render

    def for_format(format: str) -> Run:
        if format in MACHINE_FORMATS and not run.explicit_language and run.language != "en":
            return in_english(run, active, inputs)
        return run

    failed = False

    def fail(path: str, error: OSError) -> None:
        nonlocal failed
        failed = True
        reason = error.strerror or str(error)
        print_error(tell("cli.output", path=path, reason=reason))

    for format, path in outputs:
        try:
            write_whole(path, "".join(render(format, for_format(format), _options(given, None))))
        except OSError as error:
            fail(path, error)
    format = given["format"] or config.format or ("concise" if os.environ.get("PRE_COMMIT") else "text")
    own = for_format(format)
    options = _options(given, sys.stdout)
    if format in MACHINE_FORMATS and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        for piece in render(format, own, options):
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing is wrong, and the exit code says what was found.
        discard_stdout()
    except OSError as error:
        discard_stdout()
        fail("<stdout>", error)
    if format in MACHINE_FORMATS and inputs.scope and not run.resources and not run.findings:
        click.echo(f"kubelint-ack: {say(run.language, 'cli.no-manifests-here')}", err=True)
    if format == "concise" and not given["quiet"]:
        from kubelint_ack.report.display import defuse
        from kubelint_ack.report.summary import found_line

        click.echo(defuse(found_line(own)) if options.ci else found_line(own), err=True)
    if format == "github" and options.step_summary:
        from kubelint_ack.report.github import append_summary

        try:
            append_summary(own, options)
        except OSError as error:
            fail(options.step_summary, error)
    if "sarif" in (format, *(one for one, _ in outputs)) and len(run.findings) > given["sarif_limit"]:
        capped = say(run.language, "sarif.capped", count=len(run.findings), limit=given["sarif_limit"])
        click.echo(f"kubelint-ack: {capped}", err=True)
    return failed


NOT_A_GAP = frozenset(
    {"", "not-kubernetes", "kustomization", "kustomize-patch", "kustomize-data", "tool-configuration", "kubeconfig",
     "empty", "empty-list", "excluded", "gitignored"}
)  # fmt: skip
"""Ledger reasons that say: this was no manifest to check."""


def _exit_code(given: Mapping[str, Any], config: Config, outcome: Outcome, output_failed: bool) -> int:
    if output_failed or outcome.crashed or outcome.unreadable:
        return FAILED
    if given["error_on_no_manifests"] and not outcome.resources:
        print_error(tell("cli.no-manifests"))
        return FAILED
    fail_on = given["fail_on"] or config.fail_on or "warning"
    if fail_on != "never":
        worst = LEVELS.index(fail_on)
        if any(LEVELS.index(finding.severity) <= worst for finding in outcome.findings):
            return FOUND
    if given["fail_on_unchecked"] and any(
        entry.status != "checked" and (entry.reason not in NOT_A_GAP) for entry in _entries(outcome)
    ):
        click.echo(f"kubelint-ack: {tell('cli.unchecked')}", err=True)
        return FOUND
    return 0


def _entries(outcome: Outcome) -> Iterable[Any]:
    for file in outcome.ledger:
        if file.documents:
            yield from file.documents
        else:
            yield file


def _show_settings(config: Config, inputs: Inputs, active: Any, versions: Sequence[str]) -> int:
    import json

    settings = {
        "root": inputs.root,
        "config": config.path,
        "files": len(inputs.scope),
        "context_files": len(inputs.context),
        "kubernetes_versions": list(versions),
        "cluster": dict(config.cluster.data),
        "environments": {one.name: list(one.paths) for one in config.environments},
        "rules": {
            name: {"code": one.rule.code, "severity": one.severity, "options": one.options, "ack_only": one.ack_only}
            for name, one in active.items()
        },
    }
    click.echo(json.dumps(settings, ensure_ascii=False, indent=2, default=str))
    return 0


def _show_files(inputs: Inputs) -> int:
    from kubelint_ack.files import printable

    for source in inputs.scope:
        click.echo(printable(source.path))
    for one in inputs.skipped:
        click.echo(f"{printable(one.path)}  ({one.reason})")
    return 0
