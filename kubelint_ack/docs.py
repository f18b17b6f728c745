"""A rule file as a page for people: Markdown in either language, and the lists of rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubelint_ack import catalog
from kubelint_ack.catalog import Language, Rule
from kubelint_ack.report.display import joined
from kubelint_ack.words import say

MARK = re.compile(r"[ \t]*#\s*<- (?:\d+ )?findings?[ \t]*$", re.MULTILINE)
"""How an example marks the line of a finding; pages show it as an arrow."""


def rule_page(rule: Rule, language: Language) -> str:
    """The whole page of a rule in Markdown, without HTML."""
    return "\n".join(_page(rule, language)).rstrip() + "\n"


def _page(rule: Rule, language: Language) -> Iterator[str]:
    words = catalog.texts(rule, language)
    content = catalog.load_rule_file(catalog.rule_path(rule))

    def heading(key: str) -> str:
        return f"## {say(language, key)}\n"

    yield f"# {rule.name}\n"
    yield f"{words.title}{'.' if language == 'en' else '。'}\n"
    yield f"| {say(language, 'docs.code')} | {rule.code} |"
    yield "| --- | --- |"
    for key, value in _facts(rule, content, language):
        yield f"| {say(language, key)} | {value} |"
    yield ""
    yield heading("docs.what")
    for message in words.messages.values():
        yield f"- {_template(message)}"
    yield ""
    yield heading("docs.why")
    yield f"{_paragraphs(words.why)}\n"
    yield heading("docs.fix")
    yield f"{_paragraphs(words.fix)}\n"
    if words.silent:
        yield heading("docs.silent")
        yield f"{_paragraphs(words.silent)}\n"
    if rule.options:
        yield heading("docs.options")
        for name, option in content["options"].items():
            default = f"{say(language, 'docs.default')}: `{option['default']!r}`"
            yield f"- `rules.{rule.name}.{name}` ({default}): {option['description'][language]}"
        yield ""
    yield heading("docs.examples")
    for example in content["examples"]:
        yield from _example(example, language)
    yield heading("docs.suppress")
    comment = f"`# kubelint-ack: ignore[{rule.name}] {say(language, 'docs.suppress-reason')}`"
    yield say(language, "docs.suppress-text", comment=comment) + "\n"
    if rule.equivalents:
        yield heading("docs.equivalents")
        for tool, names in sorted(rule.equivalents.items()):
            yield f"- {tool}: {', '.join(names)}"
        yield ""
    yield heading("docs.references")
    for reference in words.references:
        yield f"- <{reference}>"


def _facts(rule: Rule, content: dict[str, Any], language: Language) -> Iterator[tuple[str, str]]:
    yield "docs.severity", rule.severity
    yield "docs.area", rule.area
    yield "docs.presets", ", ".join(rule.presets)
    yield "docs.reads", say(language, f"docs.reads.{rule.reads}")
    if rule.needs:
        yield "docs.needs", ", ".join(f"`{need}`" for need in rule.needs)
    if rule.sharpens:
        yield "docs.sharpens", ", ".join(f"`{need}`" for need in rule.sharpens)
    if rule.security_severity:
        yield "docs.security-severity", rule.security_severity
    yield "docs.since", content["since"]


def _template(text: str) -> str:
    """A message template as prose: `{name}` in italics stands for a value."""
    return re.sub(r"\{(\w+)\}", r"*\1*", text).replace("{{", "{").replace("}}", "}")


def _paragraphs(text: str) -> str:
    return "\n\n".join(joined(part) for part in text.strip().split("\n\n"))


def _example(example: dict[str, Any], language: Language) -> Iterator[str]:
    kind = "bad" if "bad" in example else "good"
    note = example.get("note", {}).get(language, "")
    colon = ": " if language == "en" else "："
    yield f"**{say(language, f'docs.{kind}')}**{colon + note if note else ''}\n"
    yield _block(example[kind])
    for path, text in example.get("files", {}).items():
        yield say(language, "docs.file", path=f"`{path}`") + "\n"
        yield _block(text)
    if "profile" in example:
        yield say(language, "docs.profile") + "\n"
        yield _block(example["profile"])
    if "config" in example:
        yield say(language, "docs.file", path="`.kubelint-ack.yaml`") + "\n"
        yield _block(example["config"])


def _block(text: str) -> str:
    return f"```yaml\n{MARK.sub('  # <--', text).rstrip()}\n```\n"


def terminal_page(page: str, *, color: bool) -> str:
    """A Markdown page for the terminal: as it is, with headings in bold where colours are wanted."""
    if not color:
        return page
    import click

    lines = []
    for line in page.split("\n"):
        if line.startswith("#") or (line.startswith("**") and not line.startswith("**/")):
            lines.append(click.style(line, bold=True))
        elif line.endswith("# <--"):
            lines.append(click.style(line, fg="yellow"))
        else:
            lines.append(line)
    return "\n".join(lines)


def rule_data(rule: Rule, language: Language) -> dict[str, Any]:
    """A rule as JSON data, with its page."""
    words = catalog.texts(rule, language)
    return {
        **rule_row(rule, language),
        "why": words.why,
        "fix": words.fix,
        "silent": words.silent,
        "messages": words.messages,
        "references": list(words.references),
        "equivalents": {tool: list(names) for tool, names in rule.equivalents.items()},
        "options": rule.options,
        "url": catalog.rule_url(rule, language),
        "page": rule_page(rule, language),
    }


def rule_row(rule: Rule, language: Language) -> dict[str, Any]:
    """What the list of rules says of one, as JSON data."""
    return {
        "name": rule.name,
        "code": rule.code,
        "area": rule.area,
        "severity": rule.severity,
        "default": state(rule),
        "presets": list(rule.presets),
        "reads": rule.reads,
        "needs": list(rule.needs),
        "sharpens": list(rule.sharpens),
        "title": catalog.texts(rule, language).title,
    }


def state(rule: Rule) -> str:
    """Whether a rule is on without being asked for: `on`, `ack` (on plainly ACK input) or `off`."""
    if "default" in rule.presets:
        return "on"
    return "ack" if "ack" in rule.presets else "off"


def rules_table(language: Language) -> str:
    """All rules, a line each, for the terminal."""
    from kubelint_ack.report.display import width

    rows = [[say(language, f"docs.{key}") for key in ("code", "rule", "area", "severity", "state", "needs", "title")]]
    rows += [
        [
            rule.code,
            rule.name,
            rule.area,
            rule.severity,
            say(language, f"docs.state-{state(rule)}"),
            ", ".join(rule.needs) or "-",
            catalog.texts(rule, language).title,
        ]
        for rule in catalog.rules().values()
    ]
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [cell + " " * (size - width(cell)) for cell, size in zip(row, widths)]
        lines.append("  ".join([*cells, row[-1]]))
    return "\n".join(lines) + "\n"


def index_page(language: Language) -> str:
    """The list of rules as a Markdown page that links to each."""
    lines = [f"# {say(language, 'docs.index-title')}", ""]
    lines += [say(language, "docs.index-intro", count=len(catalog.rules())), ""]
    heads = [say(language, f"docs.{key}") for key in ("code", "rule", "severity", "state", "title")]
    current = ""
    for rule in catalog.rules().values():
        if rule.area != current:
            current = rule.area
            lines += ["", f"## {current}", "", f"| {' | '.join(heads)} |", "| --- | --- | --- | --- | --- |"]
        title = catalog.texts(rule, language).title
        name = f"[{rule.name}]({rule.name}.md)"
        lines.append(
            f"| {rule.code} | {name} | {rule.severity} | {say(language, f'docs.state-{state(rule)}')} | {title} |"
        )
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """All generated pages: path below `docs/rules/` to text."""
    found = {}
    languages: tuple[Language, ...] = ("en", "zh")
    for language in languages:
        found[f"{language}/index.md"] = index_page(language)
        for rule in catalog.rules().values():
            found[f"{language}/{rule.name}.md"] = rule_page(rule, language)
    return found


def write_pages(directory: str, *, check: bool = False) -> list[str]:
    """Write the pages; the paths that were missing, different or left over. With `check` nothing is written."""
    import os

    wanted = {os.path.join(directory, *path.split("/")): text for path, text in pages().items()}
    present = {
        os.path.join(folder, name) for folder, _, names in os.walk(directory) for name in names if name.endswith(".md")
    }
    stale = sorted(present - set(wanted))
    for path, text in wanted.items():
        try:
            with open(path, encoding="utf-8") as file:
                same = file.read() == text
        except OSError:
            same = False
        if not same:
            stale.append(path)
            if not check:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
    if not check:
        for path in present - set(wanted):
            os.unlink(path)
    return sorted(stale)


if __name__ == "__main__":
    import sys

    from kubelint_ack import data

    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]) or not data.is_checkout():
        sys.exit("usage, in a checkout of the source: python -m kubelint_ack.docs [--check]")
    stale = write_pages(data.data_path("docs/rules"), check=bool(arguments))
    for path in stale:
        print(path)
    sys.exit(1 if stale and arguments else 0)
