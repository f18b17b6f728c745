"""What every report is given: the findings of a run, the rules' words, the ledger, and the reader's wishes."""

# As in records.py, annotations are not postponed.

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from kubelint_ack.records import FileEntry, Finding, Severity, Span


class RuleInfo(NamedTuple):
    """What reports need of a rule, in the report's language."""

    name: str
    code: str
    area: str
    severity: Severity
    presets: tuple[str, ...]
    precision: str
    security_severity: str
    """A number as text, `8.0`; empty for a rule that is not about security."""
    tags: tuple[str, ...]
    title: str
    why: str
    fix: str
    messages: Mapping[str, str]
    """Wording by entry: templates with `{name}` placeholders, literal braces doubled."""
    notes: Mapping[str, str]
    """Wording of related places by entry."""
    references: tuple[str, ...]
    equivalents: Mapping[str, tuple[str, ...] | str]
    page: str | Callable[[], str]
    """The whole rule page in Markdown, or what makes it when asked."""
    url: str


class NotEvaluated(NamedTuple):
    """A rule that met its kinds but lacked facts about the cluster."""

    rule: str
    code: str
    needs: tuple[str, ...]
    """Keys of the profile; `a|b` means either."""
    targets: tuple[str, ...]


class Run(NamedTuple):
    """Everything that a report may show."""

    findings: tuple[Finding, ...]
    """Sorted, not suppressed."""
    suppressed: tuple[Finding, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    ledger: tuple[FileEntry, ...]
    """The files of the scope."""
    context_files: int
    rules: Mapping[str, RuleInfo]
    """By name: all rules that were active."""
    targets: tuple[str, ...]
    """Names of the run's targets; empty when there is only one."""
    text_of: Callable[[str], str | None]
    """A file's decoded text, without a byte order mark, for excerpts; None if it is gone."""
    redacted: Callable[[str], tuple[Span, ...]]
    """Which parts of a file must never be shown: data of Secrets."""
    root: str
    """The directory to which paths are relative."""
    language: Literal["en", "zh"]
    explicit_language: bool
    elapsed: float
    """Seconds."""
    resources: int
    notifications: tuple[str, ...]
    crashed: bool


class Options(NamedTuple):
    """How the reader wants a report."""

    color: bool = False
    width: int = 100
    """Columns of the terminal."""
    show_suppressed: bool = False
    quiet: bool = False
    statistics: bool = False
    hyperlinks: bool = False
    group: bool = True
    """Whether identical findings are listed under the first of them."""
    max_findings: int = 0
    """How many findings the text formats list; 0: all."""
    ci: str = ""
    """The CI system that reads the output (`github`, `azure` …): its commands are then broken; empty: none."""
    sarif_category: str = ""
    sarif_limit: int = 5000
    """How many results a SARIF file may hold: consumers keep no more than 5,000."""
    repository_uri: str = ""
    revision: str = ""
    step_summary: str = ""
    """The file behind `$GITHUB_STEP_SUMMARY`; empty: none."""
