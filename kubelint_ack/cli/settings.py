"""Configuration and inputs, read as the options of a command say."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kubelint_ack.cli.options import Failure, language_of, option, tell, words_of

if TYPE_CHECKING:
    from kubelint_ack.config import Config
    from kubelint_ack.files import Inputs
    from kubelint_ack.language import Language
    from kubelint_ack.profile import Profile
    from kubelint_ack.project import Project
    from kubelint_ack.targets import Target


def read_settings(given: Mapping[str, Any]) -> tuple[Config, Inputs]:
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
    language, _ = language_of(given["lang"])
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
            click.option("--path", "-p", "paths", multiple=True, metavar="PATH", help=tell("cli.help.project-path")),
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
        config, inputs = read_settings(
            {
                "stdin_filename": None,
                "force_exclude": False,
                "context": (),
                "no_context": False,
                **given,
            }
        )
        versions = words_of(given["kubernetes_version"]) or config.kubernetes_versions
        check_versions(versions)
    except ConfigError as error:
        raise Failure("\n".join(error.messages)) from None
    except InputError as error:
        raise Failure(str(error)) from None
    request = engine.Request(inputs, config, {}, tuple(versions), jobs=jobs_of(given["jobs"], config))
    return language_of(given["lang"], config.lang)[0], engine.projects(request)


def check_versions(versions: Sequence[str]) -> None:
    from kubelint_ack.files import InputError
    from kubelint_ack.values import kubernetes_minor

    for version in versions:
        if kubernetes_minor(version) is None:
            raise InputError(f"--kubernetes-version {version}: write it as 1.N, for example 1.34")


def jobs_of(given: str | None, config: Config) -> int:
    value = given if given is not None else config.jobs
    if value in (None, "auto", 0):
        return 0
    if isinstance(value, int) or (isinstance(value, str) and value.isdecimal() and int(value) > 0):
        return int(value)
    raise Failure(f"--jobs {value}: write a number of processes, or auto")
