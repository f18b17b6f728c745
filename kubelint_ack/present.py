"""What a run found, as reports are given it: with the words of its rules and the texts of its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubelint_ack.language import Language
from kubelint_ack.words import say

if TYPE_CHECKING:
    from kubelint_ack.engine import Outcome
    from kubelint_ack.files import Inputs
    from kubelint_ack.report.run import Run


def report_run(
    outcome: Outcome, active: Any, inputs: Inputs, language: Language, explicit: bool, elapsed: float
) -> Run:
    """What reports are given; words are read in `language`, and again in English for machine formats if need be."""
    from kubelint_ack.decode import text_of_bytes
    from kubelint_ack.report.run import NotEvaluated, Run

    by_path = {source.path: source for source in (*inputs.scope, *inputs.context)}

    def text_of(path: str) -> str | None:
        source = by_path.get(path)
        if source is not None and source.data is not None:
            return text_of_bytes(source.data)
        try:
            with open(source.file if source else os.path.join(inputs.root, path), "rb") as file:
                return text_of_bytes(file.read())
        except OSError:
            return None

    def redacted(path: str) -> Any:
        return outcome.redacted.get(path, ())

    return Run(
        findings=outcome.findings,
        suppressed=outcome.suppressed,
        not_evaluated=tuple(
            NotEvaluated(one.rule, active[one.rule].rule.code, one.needs, one.targets) for one in outcome.not_evaluated
        ),
        ledger=outcome.ledger,
        context_files=outcome.context_files,
        rules=RuleInfos(active, language),
        targets=outcome.targets,
        text_of=text_of,
        redacted=redacted,
        root=inputs.root,
        language=language,
        explicit_language=explicit,
        elapsed=elapsed,
        resources=outcome.resources,
        notifications=_notifications(inputs, language),
        crashed=outcome.crashed,
    )


def in_english(run: Run, active: Any, inputs: Inputs) -> Run:
    """The same run for programs, which read English unless a language was asked for."""
    return run._replace(language="en", rules=RuleInfos(active, "en"), notifications=_notifications(inputs, "en"))


def _notifications(inputs: Inputs, language: Language) -> tuple[str, ...]:
    """What is said of the files that the user named and that are not read."""
    return tuple(not_read(one.path, one.reason, one.detail, language) for one in inputs.skipped if one.explicit)


def not_read(path: str, reason: str, detail: str, language: Language) -> str:
    """That a file was not read, and why: a reason of the ledger."""
    from kubelint_ack.files import printable
    from kubelint_ack.report.summary import reason as worded

    why = worded(language, reason) + (f" ({detail})" if detail else "")
    return say(language, "cli.skipped", path=printable(path), reason=why)


class RuleInfos(Mapping[str, Any]):
    """What reports need of each active rule; the texts are read when the first is asked for."""

    def __init__(self, active: Any, language: Language) -> None:
        self._active = active
        self._language = language
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = _rule_info(self._active[name], self._language)
        return made

    def __iter__(self) -> Any:
        return iter(self._active)

    def __len__(self) -> int:
        return len(self._active)


def _rule_info(one: Any, language: Language) -> Any:
    from kubelint_ack.catalog import rule_url, texts
    from kubelint_ack.report.run import RuleInfo

    rule, words = one.rule, texts(one.rule, language)

    def page() -> str:
        from kubelint_ack.docs import rule_page

        return rule_page(rule, language)

    return RuleInfo(
        name=rule.name,
        code=rule.code,
        area=rule.area,
        severity=one.severity,
        presets=rule.presets,
        precision=rule.precision,
        security_severity=rule.security_severity,
        tags=rule.tags,
        title=words.title,
        why=words.why,
        fix=words.fix,
        messages=words.messages,
        notes=words.notes,
        references=words.references,
        equivalents=rule.equivalents,
        page=page,
        url=rule_url(rule, language),
    )
