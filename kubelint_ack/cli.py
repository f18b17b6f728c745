"""The command line: the only module that knows click."""

from __future__ import annotations

import gc
import io
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kubelint_ack import __version__
from kubelint_ack.files import write_whole
from kubelint_ack.language import Language, environment_language
from kubelint_ack.present import in_english, not_read, report_run
from kubelint_ack.terminal import Progress, ci_system, discard_stdout, terminal_width, wants_color
from kubelint_ack.words import say

if TYPE_CHECKING:
    from kubelint_ack.config import Config
    from kubelint_ack.engine import Outcome
    from kubelint_ack.files import Inputs
    from kubelint_ack.profile import Profile
    from kubelint_ack.project import Project
    from kubelint_ack.records import Severity
    from kubelint_ack.report.run import Options, Run
    from kubelint_ack.targets import Target

FORMATS = ("text", "concise", "json", "sarif", "github")
LEVELS = ("error", "warning", "info")
PRESETS = ("default", "ack", "security", "reliability", "strict")
SCHEMAS = ("config", "profile", "rule", "report", "reach", "access")

FOUND, FAILED, INTERRUPTED = 1, 2, 130

_HELP_LANGUAGE = environment_language()


def _say(key: str, **values: object) -> str:
    return say(_HELP_LANGUAGE, key, **values)


class Failure(click.ClickException):
    """What the user must change: printed to standard error, exit code 2."""

    exit_code = FAILED

    def show(self, file: Any = None) -> None:
        """Print every line of the message after the program's name."""
        for line in self.message.splitlines():
            click.echo(f"kubelint-ack: {_say('cli.error')}: {line}", err=True)


class Commands(click.Group):
    """A group whose command `check` may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front of arguments that name no command."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h", "--version")):
            args = ["check", *args]
        return super().parse_args(ctx, args)


CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def option(*names: str, env: str = "", **settings: Any) -> Callable[[Any], Any]:
    """An option with its help from the catalogue and its environment variable."""
    long = max(names, key=len).split("/")[0].lstrip("-")
    settings.setdefault("help", _say(f"cli.help.{long}"))
    variable = env or f"KUBELINT_ACK_{long.upper().replace('-', '_')}"
    return click.option(*names, envvar=variable, show_envvar=True, **settings)


def words_of(values: Iterable[str]) -> tuple[str, ...]:
    """Options that may be repeated and hold lists with commas, flattened."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


@click.group(cls=Commands, context_settings=CONTEXT, help=_say("cli.help.program"))
@click.version_option(__version__, prog_name="kubelint-ack", message="%(prog)s %(version)s")
def main() -> None:
    """The program."""


@main.command(help=_say("cli.help.check"), short_help=_say("cli.help.check-short"))
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
    language, explicit_language = _language(given["lang"])
    try:
        config, inputs = _read_settings(given)
        language, explicit_language = _language(given["lang"], config.lang)
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
        _check_versions(versions)
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


def _language(given: str | None, configured: str | None = None) -> tuple[Language, bool]:
    """The language, and whether somebody asked for it (machine formats stay English otherwise)."""
    chosen = given or configured
    if chosen in ("en", "zh"):
        return ("zh" if chosen == "zh" else "en"), True
    return _HELP_LANGUAGE, False


def _read_settings(given: Mapping[str, Any]) -> tuple[Config, Inputs]:
    """The configuration and what to read. Raises ConfigError and InputError."""
    from kubelint_ack import config as configuration
    from kubelint_ack import sources
    from kubelint_ack.files import InputError, printable

    stdin_filename = given["stdin_filename"]
    paths: Sequence[str] = given["paths"] or (("." if stdin_filename is None else "-"),)
    explicit = given["config"]
    if explicit and not os.path.isfile(explicit):
        raise InputError(f"{printable(explicit)}: --config must name a file")
    if stdin_filename is not None and (not stdin_filename or os.path.isdir(stdin_filename)):
        raise InputError(f"--stdin-filename '{printable(stdin_filename)}': it must name a file")
    if stdin_filename is not None and "-" not in paths:
        raise InputError("--stdin-filename says what '-' stands for: add '-' to the paths, or name no path")
    language, _ = _language(given["lang"])
    found = explicit
    root, has_root = sources.find_root(paths, given["root"], explicit, stdin_filename=stdin_filename)
    if not explicit and not given["isolated"]:
        if has_root:
            found = configuration.find_config(root, language)
        else:
            common = sources.common_parent(paths, stdin_filename=stdin_filename)
            found = configuration.find_config_upwards(common, language)
            root, has_root = sources.find_root(paths, None, found, stdin_filename=stdin_filename)
    config = configuration.DEFAULT
    if found:
        from kubelint_ack import configfile

        config = configfile.load(found, root, explicit=bool(explicit), language=language)
    stdin = None
    if "-" in paths:
        stdin = sys.stdin.buffer.read()
    inputs = sources.collect(
        paths,
        root=root,
        has_root=has_root,
        exclude=(*(given["exclude"] or config.exclude), *config.extend_exclude, *given["extend_exclude"]),
        force_exclude=given["force_exclude"],
        respect_gitignore=not given["no_respect_gitignore"],
        stdin_filename=stdin_filename,
        stdin=stdin,
        context=given["context"] or config.context,
        with_context=not given["no_context"],
    )
    if (given["no_context"] or not has_root) and root not in map(os.path.realpath, paths):
        # Complete is what the configuration says of everything below the root, and that is not read.
        config = config._replace(
            complete=False, environments=tuple(one._replace(complete=False) for one in config.environments)
        )
    own = {os.path.realpath(path) for path in (found, *_profile_files(config, root)) if path}
    if own:
        # The configuration is no manifest; findings about the profile in it are reported all the same.
        inputs = inputs._replace(
            scope=tuple(source for source in inputs.scope if os.path.realpath(source.file) not in own),
            context=tuple(source for source in inputs.context if os.path.realpath(source.file) not in own),
        )
    return config, inputs


def _profile_files(config: Config, root: str) -> Iterable[str]:
    """The files in which the profiles are written."""
    for cluster in (config.cluster, *(one.cluster for one in config.environments)):
        for origin in (cluster.default, *cluster.origins.values()):
            if origin is not None:
                yield os.path.join(root, origin.path)


def project_options(command: Callable[..., None]) -> Callable[..., None]:
    """What commands that ask the project take to say what to read: see `read_projects`."""
    for one in reversed(
        (
            click.option("--path", "-p", "paths", multiple=True, metavar="PATH", help=_say("cli.help.project-path")),
            option("--kubernetes-version", multiple=True, metavar="1.N[,…]"),
            option("--config", metavar="FILE"),
            option("--isolated", is_flag=True),
            option("--root", metavar="DIR"),
            option("--exclude", multiple=True, metavar="PATTERN"),
            option("--extend-exclude", multiple=True, metavar="PATTERN"),
            option("--no-respect-gitignore", is_flag=True),
            option("--lang", type=click.Choice(("en", "zh"))),
            option("--jobs", "-j", metavar="N|auto"),
        )
    ):
        command = one(command)
    return command


def read_projects(given: Mapping[str, Any]) -> tuple[Language, Iterable[tuple[Target, Project, Profile]]]:
    """The language to answer in, and what `project_options` say to read: every target, its index and its profile."""
    from kubelint_ack import engine
    from kubelint_ack.config import ConfigError
    from kubelint_ack.files import InputError

    try:
        config, inputs = _read_settings(
            {
                "stdin_filename": None,
                "force_exclude": False,
                "context": (),
                "no_context": False,
                **given,
            }
        )
        versions = words_of(given["kubernetes_version"]) or config.kubernetes_versions
        _check_versions(versions)
    except ConfigError as error:
        raise Failure("\n".join(error.messages)) from None
    except InputError as error:
        raise Failure(str(error)) from None
    request = engine.Request(inputs, config, {}, tuple(versions), jobs=_jobs(given["jobs"], config))
    return _language(given["lang"], config.lang)[0], engine.projects(request)


def _check_presets(names: Sequence[str]) -> None:
    from kubelint_ack.files import InputError
    from kubelint_ack.values import nearest

    for name in names:
        if name not in PRESETS:
            near = nearest(name, PRESETS)
            known = f"did you mean '{near}'?" if near else f"choose from {', '.join(PRESETS)}"
            raise InputError(f"--preset: unknown preset '{name}'; {known}")


def _check_versions(versions: Sequence[str]) -> None:
    from kubelint_ack.files import InputError
    from kubelint_ack.values import kubernetes_minor

    for version in versions:
        if kubernetes_minor(version) is None:
            raise InputError(f"--kubernetes-version {version}: write it as 1.N, for example 1.34")


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


def _jobs(given: str | None, config: Config) -> int:
    value = given if given is not None else config.jobs
    if value in (None, "auto", 0):
        return 0
    if isinstance(value, int) or (isinstance(value, str) and value.isdecimal() and int(value) > 0):
        return int(value)
    raise Failure(f"--jobs {value}: write a number of processes, or auto")


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
        progress = Progress(_HELP_LANGUAGE)
    request = engine.Request(
        inputs,
        config,
        active,
        versions=tuple(versions),
        minimum=given["severity"] or config.severity or "info",
        jobs=_jobs(given["jobs"], config),
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
        click.echo(f"kubelint-ack: {_say('cli.error')}: {_say('cli.output', path=path, reason=reason)}", err=True)

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
        click.echo(f"kubelint-ack: {_say('cli.error')}: {_say('cli.no-manifests')}", err=True)
        return FAILED
    fail_on = given["fail_on"] or config.fail_on or "warning"
    if fail_on != "never":
        worst = LEVELS.index(fail_on)
        if any(LEVELS.index(finding.severity) <= worst for finding in outcome.findings):
            return FOUND
    if given["fail_on_unchecked"] and any(
        entry.status != "checked" and (entry.reason not in NOT_A_GAP) for entry in _entries(outcome)
    ):
        click.echo(f"kubelint-ack: {_say('cli.unchecked')}", err=True)
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


@main.command(help=_say("cli.help.explain"), short_help=_say("cli.help.explain-short"))
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help=_say("cli.help.rule-all"))
@option("--lang", type=click.Choice(("en", "zh")))
@click.option("--format", "-f", "format", type=click.Choice(("text", "json", "markdown")), default="text",
              help=_say("cli.help.rule-format"))  # fmt: skip
@option("--color", type=click.Choice(("auto", "always", "never")), default="auto")
def explain(names: Sequence[str], every: bool, lang: str | None, format: str, color: str) -> None:
    """Print the pages of rules and of annotations."""
    from kubelint_ack import catalog, docs
    from kubelint_ack.explain import key_data, key_page

    language, _ = _language(lang)
    rules: dict[str, Any] = dict(catalog.rules()) if every else {}
    keys: list[Any] = []
    for name in () if every else names:
        chosen, entries = _named(name)
        rules.update((one.name, one) for one in chosen)
        keys += [entry for entry in entries if entry not in keys]
    if not rules and not keys:
        raise Failure(_say("cli.name-a-rule"))
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
            raise Failure(_say("cli.unknown-key", name=name, near=near))
        raise Failure(_say("cli.unknown-key-or-rule", name=failure))
    own = ", ".join(f"{one.name} ({one.code})" for one in chosen)
    click.echo(_say("cli.covered", tool=owner, name=name.removeprefix(f"{owner}:"), rules=own), err=True)
    return chosen, []


main.add_command(
    click.Command(
        "rule",
        callback=explain.callback,
        params=explain.params,
        help=explain.help,
        short_help=_say("cli.help.rule-short"),
    )
)


@main.command(help=_say("cli.help.rules"))
@option("--lang", type=click.Choice(("en", "zh")))
@click.option(
    "--format", "-f", "format", type=click.Choice(("text", "json")), default="text", help=_say("cli.help.rule-format")
)
def rules(lang: str | None, format: str) -> None:
    """List all rules."""
    from kubelint_ack import catalog, docs

    language, _ = _language(lang)
    if format == "json":
        import json

        rows = [docs.rule_row(one, language) for one in catalog.rules().values()]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    click.echo(docs.rules_table(language), nl=False)


@main.command(help=_say("cli.help.schema"), short_help=_say("cli.help.schema-short"))
@click.argument("name", type=click.Choice(SCHEMAS))
def schema(name: str) -> None:
    """Print one of the JSON Schemas."""
    from kubelint_ack.data import read_data

    click.echo(read_data(f"schemas/{name}.schema.json").decode(), nl=False)


@main.command(help=_say("cli.help.init"))
@click.argument("directory", default=".")
@click.option(
    "--ci", multiple=True, type=click.Choice(("github", "gitlab", "pre-commit")), help=_say("cli.help.init-ci")
)
@option("--lang", type=click.Choice(("en", "zh")))
def init(directory: str, ci: Sequence[str], lang: str | None) -> None:
    """Write a commented configuration."""
    from kubelint_ack import config, starter

    language, _ = _language(lang)
    wanted = [(".kubelint-ack.yaml", starter.init_text(language)), *(starter.ci_snippet(host) for host in ci)]
    if not os.path.isdir(directory):
        raise Failure(_say("cli.no-directory", path=directory))
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
            click.echo(f"kubelint-ack: {_say('cli.error')}: {_say('cli.exists', path=taken)}", err=True)
            continue
        try:
            write_whole(path, text)
        except OSError as error:
            raise Failure(_say("cli.output", path=path, reason=error.strerror or str(error))) from None
        click.echo(_say("cli.wrote", path=path), err=True)
    if failed:
        sys.exit(FAILED)


@main.command(help=_say("cli.help.profile"), short_help=_say("cli.help.profile-short"))
@click.argument("dumps", nargs=-1, type=click.UNPROCESSED)
@click.option("--output", "-o", metavar="FILE", help=_say("cli.help.profile-output"))
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
                    raise Failure(_say("cli.not-a-dump", where=where))
            read.append(document.data)
    found = discover.discover(read)
    if not found.counts:
        raise Failure(_say("cli.empty-dump"))
    text = discover.render(found)
    if output:
        if os.path.lexists(output):
            raise Failure(_say("cli.exists", path=output))
        try:
            write_whole(output, text)
        except OSError as error:
            raise Failure(_say("cli.output", path=output, reason=error.strerror or str(error))) from None
        click.echo(_say("cli.wrote", path=output), err=True)
    else:
        click.echo(text, nl=False)


@main.command(help=_say("access.help"), short_help=_say("access.help-short"))
@click.argument("service", required=False)
@click.option(
    "--format", "-f", "format", type=click.Choice(("text", "json")), default="text", help=_say("cli.help.rule-format")
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


@main.command(help=_say("reach.help"), short_help=_say("reach.help-short"))
@click.argument("source", required=False, metavar="[FROM]")
@click.argument("target", required=False, metavar="[TO]")
@click.option("--namespace", "-n", default="default", metavar="NAME", help=_say("reach.help-namespace"))
@click.option(
    "--format",
    "-f",
    "format",
    type=click.Choice(("text", "json", "mermaid")),
    default="text",
    help=_say("cli.help.rule-format"),
)
@project_options
def reach(source: str | None, target: str | None, namespace: str, format: str, **given: Any) -> None:
    """Show who may reach whom."""
    from kubelint_ack.queries.flows import Flows, UnknownPartyError, is_enforced, open_ends
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


def _internal_error(error: Exception) -> str:
    """One line about a fault of ours."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return _say("cli.internal", error=type(error).__name__, where=where, url=BUGS)


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
        click.echo(f"kubelint-ack: {_say('cli.error')}: {error.strerror or error}", err=True)
        sys.exit(FAILED)
    except Exception as error:  # no traceback reaches a user
        click.echo(f"kubelint-ack: {_say('cli.error')}: {_internal_error(error)}", err=True)
        sys.exit(FAILED)
    finally:
        # Python's last collection would look through all that was built, right before the process ends.
        gc.freeze()
    sys.exit(0)


if __name__ == "__main__":
    entry()
