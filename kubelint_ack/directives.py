"""What suppressions say: the text of a comment or an annotation taken apart, ours and those of other tools.

The forms are described in `suppress.py`, which knows where in a file each stands and what it covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kubelint_ack.records import Unknown

IN_COMMENTS = ("kubelint-ack", "trivy:ignore")
IN_ANNOTATIONS = (
    "kubelint-ack.io/",
    "kube-linter.io/",
    "kube-score/ignore",
    "polaris.fairwinds.com/",
    "checkov.io/skip",
    "bridgecrew.io/skip",
)
"""A file without any of these has no suppression."""

PREFIX = "kubelint-ack.io/"
"""Of our own annotations."""

# Plain texts, compiled when a file has such a comment or annotation.
# Brackets hold no `#` and no bracket: so a search takes time in proportion to the text, whatever it holds.
_OWN = r"(?:^|#)[ \t]*(kubelint-ack[ \t]*:[ \t]*(ignore(?:-file|-resource)?)(?![\w-])[ \t]*(?:\[([^\[\]#]*)\])?)"
# What somebody meant as a suppression: another word before the bracket, or a bracket that does not close.
_ALMOST = (
    r"(?:^|#)[ \t]*(kubelint-ack(?:[ \t]*:[ \t]*[A-Za-z-]+|[ \t]+(?:ign|dis|skip|supp)[A-Za-z-]*)"
    r"(?:[ \t]*\[|[(=])[^#]{0,80})"
)
_IN_VALUE = r"#[ \t]*(kubelint-ack[ \t]*:[ \t]*ignore(?:-file|-resource)?[ \t]*\[[^\[\]#\n]*\])"
_NEXT_COMMENT = r"[ \t]#(?=[ \t#]|$|kubelint-ack|trivy:)"
_WORD = r"[^,\s]+"
_UNTIL = r"(?:^|(?<=\s))until=(\S*)"
_DATE = r"\d{4}-\d{2}-\d{2}"
# https://trivy.dev/latest/docs/scanner/misconfiguration/config/config/#filtering-resources-by-inline-comments
_TRIVY = r"(?:^|(?<=[\s#]))trivy:ignore:([^\s:\[]+)(?:\[[^\]\s#]*\])?(?::exp:(\S+))?"
# What people put between the bracket and the reason.
_AROUND_REASON = " \t:-–—"


class Directive(NamedTuple):
    """One suppression; offsets are into the text that it was read from."""

    form: str
    """`line` (which may turn out to be a block), `resource`, `file`, `annotation` or `foreign`."""
    rules: tuple[str, ...]
    """As written; for another tool its checks, `*` for all of them."""
    reason: str = ""
    until: str = ""
    problem: str = ""
    """Empty, `no-rule`, `unknown-form` or `bad-until`."""
    start: int = 0
    end: int = 0
    words: tuple[tuple[int, int], ...] = ()
    """Where each rule stands; empty where an annotation's key names it."""
    written: str = ""
    """The word, annotation key or text that a message about it quotes."""
    tool: str = ""
    """Empty for our own."""


def comment_directives(comment: str) -> Iterator[Directive]:
    """The suppressions in the text of a comment, without its `#`."""
    matches = list(re.finditer(_OWN, comment))
    if not matches:
        almost = re.search(_ALMOST, comment)
        if almost:
            yield _unknown_form(almost)
    for match in matches:
        stop = re.compile(_NEXT_COMMENT).search(comment, match.end())
        rest = comment[match.end() : stop.start() if stop else len(comment)].rstrip()
        almost = re.compile(_ALMOST).match(comment, match.start()) if match[3] is None else None
        if almost:
            yield _unknown_form(almost)
            continue
        found: Iterable[re.Match[str]] = re.compile(_WORD).finditer(comment, *match.span(3)) if match[3] else ()
        words = tuple(word.span() for word in found)
        reason, until = _reason(rest)
        problem = "" if words else "no-rule"
        yield Directive(
            match[2].removeprefix("ignore").removeprefix("-") or "line",
            tuple(comment[start:end] for start, end in words),
            reason,
            until,
            problem or ("" if _is_date(until) else "bad-until"),
            match.start(1),
            match.end() + len(rest),
            words,
            match[2],
        )
    for match in re.finditer(_TRIVY, comment):
        until = match[2] or ""
        problem = "" if _is_date(until) else "bad-until"
        yield Directive("foreign", (match[1],), "", until, problem, match.start(), match.end(), tool="trivy")


def _unknown_form(match: re.Match[str]) -> Directive:
    text = match[1].rstrip()
    start = match.start(1)
    return Directive("line", (), "", "", "unknown-form", start, start + len(text), (), text)


def text_like_comments(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of what reads like a suppression anywhere in a text; its `#` is not included."""
    for match in re.finditer(_IN_VALUE, text):
        yield match.span(1)


def annotation_directive(key: str, value: Any) -> Directive | None:
    """What an annotation suppresses, if it does; offsets are into its value."""
    if not any(mark in key for mark in IN_ANNOTATIONS):
        return None
    if key.startswith(PREFIX):
        return _own_annotation(key, value)
    found = _foreign_annotation(key, _plain(value))
    if found is None:
        return None
    tool, checks, reason = found
    return Directive("foreign", checks, reason, tool=tool)


def _own_annotation(key: str, value: Any) -> Directive | None:
    """None where a template decides which rules are meant."""
    name = key.removeprefix(PREFIX)
    text = _plain(value)
    reason, until = _reason(text)
    problem = "" if _is_date(until) else "bad-until"
    if name.startswith("ignore."):
        rule = name.removeprefix("ignore.")
        if not rule:
            return Directive("annotation", (), problem="no-rule", written=key)
        return Directive("annotation", (rule,), reason, until, problem, written=key)
    if name != "ignore":
        return Directive("annotation", (), problem="unknown-form", written=key)
    if isinstance(value, Unknown):
        return None
    dated = re.search(_UNTIL, text)
    if dated:
        text = text[: dated.start()] + " " * len(dated[0]) + text[dated.end() :]
    words = tuple(word.span() for word in re.finditer(_WORD, text)) if isinstance(value, str) else ()
    if not words:
        return Directive("annotation", (), problem="no-rule", written=key)
    names = tuple(text[start:end] for start, end in words)
    return Directive("annotation", names, "", until, problem, words=words, written=key)


def _foreign_annotation(key: str, value: str) -> tuple[str, tuple[str, ...], str] | None:
    """Tool, checks and reason of another tool's annotation; None if it suppresses nothing.

    https://docs.kubelinter.io/#/configuring-kubelinter?id=ignoring-violations-for-specific-cases
    https://github.com/zegl/kube-score#ignoring-a-test
    https://polaris.docs.fairwinds.com/customization/exemptions/
    https://www.checkov.io/2.Basics/Suppressing%20and%20Skipping%20Policies.html
    """
    if key == "kube-linter.io/ignore-all":
        return "kube-linter", ("*",), value
    if key.startswith("ignore-check.kube-linter.io/"):
        return "kube-linter", (key.partition("/")[2],), value
    if key == "kube-score/ignore":
        return "kube-score", tuple(re.findall(_WORD, value)), ""
    if key.startswith("polaris.fairwinds.com/") and value.lower() == "true":
        check = key.partition("/")[2]
        if check == "exempt":
            return "polaris", ("*",), ""
        if check.endswith("-exempt"):
            return "polaris", (check.removesuffix("-exempt"),), ""
    if key.startswith(("checkov.io/skip", "bridgecrew.io/skip")):
        check, _, reason = value.partition("=")
        return "checkov", (check.strip(),), reason.strip()
    return None


def _plain(value: Any) -> str:
    """The text of an annotation's value, also of one that is wrongly no string."""
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int, float)) else ""


def _reason(rest: str) -> tuple[str, str]:
    """The reason and the date in what follows the rules; a date alone is no reason."""
    until = re.search(_UNTIL, rest)
    if until is None:
        return rest.strip(_AROUND_REASON), ""
    before, after = rest[: until.start()].strip(_AROUND_REASON), rest[until.end() :].strip()
    return f"{before} {after}".strip(), until[1].rstrip(".,;)") or "until="


def _is_date(until: str) -> bool:
    """Whether it is empty or an ISO date."""
    if not until:
        return True
    if not re.fullmatch(_DATE, until):
        return False
    import datetime

    try:
        datetime.date.fromisoformat(until)
    except ValueError:
        return False
    return True
