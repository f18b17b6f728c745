"""Suppressions: what the linted files say shall not be reported, and which findings that holds for.

They are found while a file is scanned and applied to the findings of the whole run. Findings are marked, never lost.

`# kubelint-ack: ignore[rule,KLA1204] reason until=2027-01-31` at the end of a line covers that line; alone on a line,
the next mapping entry or list item with everything inside. `ignore-resource[...]` above the first key of a document or
list item covers that object, `ignore-file[...]` above the first key of a file the file. The annotations
`kubelint-ack.io/ignore: "rule, KLA1204"` and `kubelint-ack.io/ignore.rule: "reason"` cover the object or pod template
that has them. Rules are named one by one, by name or code. The day of `until=` still counts.

Other tools' marks stand for the rules that name their checks as equivalents; a mark for all checks of a tool stands for
all of these rules.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kubelint_ack.catalog import AREAS, Active, rules
from kubelint_ack.decode import Decoded, Document
from kubelint_ack.directives import (
    IN_ANNOTATIONS,
    IN_COMMENTS,
    Directive,
    annotation_directive,
    comment_directives,
    text_like_comments,
)
from kubelint_ack.records import (
    FieldPath,
    LocatedHit,
    Place,
    ResourceId,
    Route,
    Severity,
    Span,
    Suppressed,
    field_text,
)
from kubelint_ack.resource import Resource
from kubelint_ack.views import POD_ROUTES, View, mapping, pod_templates

if TYPE_CHECKING:
    import datetime

UNUSED = "unused-suppression"
EXPIRED = "suppression-expired"
UNKNOWN_RULE = "suppression-unknown-rule"
WITHOUT_REASON = "suppression-without-reason"

# Lines that may stand above the first key of a file.
_PREAMBLE = r"(?:---(?=\s|$))?[ \t]*\{?[ \t]*(?:#.*)?\r?|%.*"
_SEPARATOR = r"(?m)^(?:---|\.\.\.)(?=\s|$)"

_MOST_ANNOTATIONS = 10_000
"""More than the 256 KiB that the API server takes can hold of ours.

https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go
"""
_MOST_SUGGESTIONS = 20
"""Suggestions for unknown rules in one file; each costs a comparison with every rule."""


class Suppression(NamedTuple):
    """What a comment or annotation says; plain values only, since it crosses processes and lies in the cache."""

    form: str
    """`line`, `block`, `resource`, `file`, `annotation` or `foreign`."""
    rules: tuple[str, ...]
    """Names or codes as written; for another tool its checks, `*` for all of them."""
    reason: str
    until: str
    """The last day on which it counts, as an ISO date; empty: no end."""
    cover: Span | None
    """Findings that begin here are meant; None: the whole file."""
    place: Place
    """Of the comment or annotation itself; its field is the one that is covered, or the annotation."""
    resource: ResourceId | None
    tool: str
    """Empty for our own, else `kube-linter`, `kube-score`, `polaris`, `checkov` or `trivy`."""
    problem: str
    """Empty, or why it does not count: `no-rule`, `unknown-form`, `bad-until`, `misplaced-file`, `misplaced-resource`,
    `nothing-below` or `inside-value`."""
    words: tuple[Span, ...] = ()
    """Where each of `rules` stands."""
    written: str = ""
    """The word, annotation key or text that a message about it quotes."""
    judged: bool = True
    """Whether the documents that it covers were fully checked, so that hiding nothing means something."""


class Marked(NamedTuple):
    """The hits of a run after its suppressions."""

    kept: list[LocatedHit]
    suppressed: list[tuple[LocatedHit, Suppressed]]
    extra: list[LocatedHit]
    """What there is to say about the suppressions themselves; no suppression covers it."""


def find_suppressions(
    path: str,
    decoded: Decoded,
    found: list[tuple[Document, Resource]],
    pod_routes: Mapping[tuple[str, str], tuple[Route, ...]] = POD_ROUTES,
) -> list[Suppression]:
    """The suppressions of a file, comments first. `found` holds the resources of the documents that were checked."""
    text = decoded.text
    suppressions: list[Suppression] = []
    if any(key in text for key in IN_COMMENTS) and decoded.documents:
        suppressions += _Comments(decoded, found).find()
    if any(key in text for key in IN_ANNOTATIONS):
        for document, resource in found:
            suppressions += _annotations(decoded, document, resource, pod_routes)
    return suppressions


def _judged(document: Document) -> bool:
    return document.complete and not document.has_unknown


class _Entries:
    """The mapping entries and list items of a document in the order of its text, parents first."""

    def __init__(self, decoded: Decoded, document: Document) -> None:
        outline = decoded.outline(document)
        self.starts = [entry.start for entry in outline]
        self.routes = [entry.route for entry in outline]
        self.ends = [document.end] * len(outline)
        """Where the next entry that is not inside begins."""
        opened: list[int] = []
        for index, route in enumerate(self.routes):
            while opened and route[: len(self.routes[opened[-1]])] != self.routes[opened[-1]]:
                self.ends[opened.pop()] = self.starts[index]
            opened.append(index)

    def after(self, offset: int) -> int | None:
        """The outermost entry that begins next."""
        index = bisect_left(self.starts, offset)
        return index if index < len(self.starts) else None

    def before(self, offset: int) -> int | None:
        """The last entry that begins before."""
        index = bisect_right(self.starts, offset) - 1
        return index if index >= 0 else None

    def is_first(self, index: int) -> bool:
        """Whether it is the first entry of its mapping: then what holds the mapping comes right before it."""
        route = self.routes[index]
        return isinstance(route[-1], str) and (index == 0 or self.routes[index - 1] == route[:-1])


class _Comments:
    """Finds the suppressions among the comments of one file."""

    def __init__(self, decoded: Decoded, found: list[tuple[Document, Resource]]) -> None:
        self.decoded = decoded
        self.text = decoded.text
        self.resources = {(document.index, resource.prefix): resource for document, resource in found}
        self.checked = {document.index for document, _ in found}
        self.starts = [document.start for document in decoded.documents]
        self.entries_of: dict[int, _Entries] = {}
        self.separators: dict[int, int] = {}
        """Where what follows each document begins."""
        self.preamble_end: int | None = None

    def find(self) -> Iterator[Suppression]:
        """All of them, in the order of the text."""
        offsets: list[int] = []
        ends: list[int] = []
        for offset, comment, _ in self.decoded.comments():
            if any(key in comment for key in IN_COMMENTS):
                offsets.append(offset)
                ends.append(offset + 1 + len(comment))
                document = self._document(offset)
                for directive in comment_directives(comment):
                    yield self._suppression(document, offset, directive)
        yield from self._inside_value(offsets, ends)

    def _document(self, offset: int) -> Document:
        """The document that a comment belongs to: above its separator, the one before."""
        documents = self.decoded.documents
        index = max(bisect_right(self.starts, offset) - 1, 0)
        document = documents[index]
        if offset <= document.end or index + 1 == len(documents):
            return document
        if index not in self.separators:
            separator = re.compile(_SEPARATOR).search(self.text, document.end)
            self.separators[index] = separator.start() if separator else len(self.text)
        return documents[index + 1] if offset > self.separators[index] else document

    def _entries(self, document: Document) -> _Entries:
        entries = self.entries_of.get(document.index)
        if entries is None:
            entries = self.entries_of[document.index] = _Entries(self.decoded, document)
        return entries

    def _suppression(self, document: Document, offset: int, directive: Directive) -> Suppression:
        """What a directive in the comment at an offset covers."""
        form, problem = directive.form, directive.problem
        route: Route = ()
        cover: Span | None = document.span
        if form == "file":
            cover = None
            if not self._is_preamble(offset):
                problem = problem or "misplaced-file"
        elif form == "resource":
            covered = self._resource_below(document, offset)
            if covered:
                route, cover = covered
            else:
                problem = problem or "misplaced-resource"
        elif form == "foreign":
            route, cover = self._object_below(document, offset)
        elif self._stands_alone(offset):
            form = "block"
            below = self._entries(document).after(offset)
            if below is not None:
                route, cover = self._covered(document, below)
            elif not document.failed:
                problem = problem or "nothing-below"
        else:
            route, cover = self._line(document, offset)
        begin = offset + 1
        span = self.decoded.span(begin + directive.start, begin + directive.end)
        place, resource = self._place(document, span, route)
        return Suppression(
            form,
            directive.rules,
            directive.reason,
            directive.until,
            cover,
            place,
            None if form == "file" else resource,
            directive.tool,
            problem,
            tuple(self.decoded.span(begin + start, begin + end) for start, end in directive.words),
            directive.written,
            self._is_judged(None if form == "file" else document),
        )

    def _place(self, document: Document, span: Span, route: Route) -> tuple[Place, ResourceId | None]:
        """The place of a comment about a field, and the resource that has the field."""
        for prefix in (route[:2], ()):
            resource = self.resources.get((document.index, prefix))
            if resource is not None:
                own = route[len(prefix) :]
                stable = self.decoded.stable(document.data, prefix, own)
                return Place(span, field_text(own), stable), resource.id
        return Place(span, field_text(route), field_text(route)), None

    def _is_judged(self, document: Document | None) -> bool:
        """Whether a document, or with None every document of the file, was fully checked."""
        if document is None:
            return bool(self.checked) and all(_judged(one) for one in self.decoded.documents)
        return document.index in self.checked and _judged(document)

    def _stands_alone(self, offset: int) -> bool:
        """Whether nothing but list or document markers stands before a comment on its line."""
        return not self.text[self.text.rfind("\n", 0, offset) + 1 : offset].strip(" \t-")

    def _is_preamble(self, offset: int) -> bool:
        """Whether no key stands above a comment in the file."""
        if self.preamble_end is None:
            self.preamble_end = 0
            for line in self.text.split("\n"):
                if not re.fullmatch(_PREAMBLE, line):
                    break
                self.preamble_end += len(line) + 1
        begin = self.text.rfind("\n", 0, offset) + 1
        return begin <= self.preamble_end and bool(re.fullmatch(_PREAMBLE, self.text[begin:offset]))

    def _covered(self, document: Document, index: int) -> tuple[Route, Span]:
        """The route and extent of an entry; of the document for the one before the first."""
        if index < 0:
            return (), document.span
        entries = self._entries(document)
        return entries.routes[index], self.decoded.span(entries.starts[index], entries.ends[index])

    def _line(self, document: Document, offset: int) -> tuple[Route, Span]:
        """The outermost entry that begins on a line, else the last one before it; and the line."""
        entries = self._entries(document)
        begin = self.text.rfind("\n", 0, offset) + 1
        index = entries.after(begin)
        if index is None or entries.starts[index] > offset:
            index = entries.before(offset)
        line = self.decoded.span(begin, offset).line
        return entries.routes[index] if index is not None else (), Span(line, 1, line + 1, 1)

    def _resource_below(self, document: Document, offset: int) -> tuple[Route, Span] | None:
        """The resource whose first key comes next."""
        entries = self._entries(document)
        index = entries.after(offset)
        if document.failed or index == 0:
            return (), document.span
        if index is None:
            return None
        for at in (index, index - 1) if entries.is_first(index) else (index,):
            if (document.index, entries.routes[at]) in self.resources:
                return self._covered(document, at)
        return None

    def _object_below(self, document: Document, offset: int) -> tuple[Route, Span]:
        """What a comment of Trivy covers: the mapping or item that begins on its line or below."""
        entries = self._entries(document)
        index = entries.after(self.text.rfind("\n", 0, offset) + 1)
        if index is None:
            return (), Span(1, 1, 1, 1)
        return self._covered(document, index - 1 if entries.is_first(index) else index)

    def _inside_value(self, offsets: list[int], ends: list[int]) -> Iterator[Suppression]:
        """The first text that looks like a suppression but is part of a value, as in a block scalar."""
        for start, end in text_like_comments(self.text):
            comment = bisect_right(offsets, start) - 1
            if comment >= 0 and start < ends[comment]:
                continue
            document = self._document(start)
            if document.index in self.checked and document.start <= start < document.end:
                index = self._entries(document).before(start)
                route = self._entries(document).routes[index] if index is not None else ()
                place, resource = self._place(document, self.decoded.span(start, end), route)
                text = self.text[start:end]
                yield Suppression("line", (), "", "", place.span, place, resource, "", "inside-value", written=text)
                return


def _annotations(
    decoded: Decoded, document: Document, resource: Resource, pod_routes: Mapping[tuple[str, str], tuple[Route, ...]]
) -> Iterator[Suppression]:
    """Suppressions in the annotations of a resource and of its pod templates."""
    lens = View(resource)
    for route in dict.fromkeys(((), *pod_templates(resource, pod_routes))):
        holder: Route = (*route, "metadata", "annotations")
        annotations = mapping(lens.get(*holder))
        if len(annotations) > _MOST_ANNOTATIONS:
            continue
        for key, value in annotations.items():
            directive = annotation_directive(key, value)
            if directive is None:
                continue
            path = FieldPath((*holder, key))
            place = decoded.place(document, resource.prefix, path)
            words = [decoded.place(document, resource.prefix, path.slice(*word)).span for word in directive.words]
            yield Suppression(
                directive.form,
                directive.rules,
                directive.reason,
                directive.until,
                decoded.node_span(document, resource.prefix + route),
                place,
                resource.id,
                directive.tool,
                directive.problem,
                tuple(words) or (place.span,) * len(directive.rules),
                directive.written,
                _judged(document),
            )


def mark(
    hits: Sequence[LocatedHit],
    suppressions: Mapping[str, Sequence[Suppression]],
    active: Mapping[str, Active],
    *,
    today: datetime.date,
    honor: Collection[str],
    require_reason: bool,
    evaluated: Collection[str],
) -> Marked:
    """Divide the hits of a run by the suppressions of its files (by path), and judge the suppressions.

    `honor` are the other tools whose marks count. `evaluated` are the rules that ran and could judge: only these can
    leave a suppression unused, and not where they are on for ACK manifests only. Give the suppressions of a file only
    together with all hits in it.
    """
    names = _Names()
    day = today.isoformat()
    by_file: dict[str, dict[str, list[int]]] = {}
    for path, found in suppressions.items():
        by_rule = by_file[path] = {}
        for number, one in enumerate(found):
            if not one.problem and not _has_ended(one, day) and (not one.tool or one.tool in honor):
                for name in names.meant(one):
                    by_rule.setdefault(name, []).append(number)
    wanted: dict[tuple[str, str], list[int]] = {}
    for index, hit in enumerate(hits):
        if hit.rule in by_file.get(hit.path, ()):
            wanted.setdefault((hit.path, hit.rule), []).append(index)
    chosen: dict[int, Suppression] = {}
    used: set[tuple[str, int, str]] = set()
    for (path, rule), indices in wanted.items():
        numbers = _apply(hits, indices, suppressions[path], by_file[path][rule], chosen)
        used.update((path, number, rule) for number in numbers)
    kept = [hit for index, hit in enumerate(hits) if index not in chosen]
    suppressed = [(hits[index], _suppressed(hits[index].path, chosen[index])) for index in sorted(chosen)]
    extra: list[LocatedHit] = []
    for path, found in suppressions.items():
        judge = _Judge(path, active, names, day, require_reason)
        for number, one in enumerate(found):
            if not one.tool:
                extra += judge.about(
                    one,
                    {name for name in names.meant(one) if name in evaluated and (path, number, name) not in used},
                )
    return Marked(kept, suppressed, extra)


_RANKS = {"line": 0, "block": 1, "annotation": 2, "resource": 3, "file": 4, "foreign": 5}
"""Which of several suppressions a finding is put down to: the nearest of our own."""

_Position = tuple[int, int]


def _range(one: Suppression) -> tuple[_Position, _Position]:
    if one.cover is None:
        return (0, 0), (2**62, 0)
    return one.cover[:2], one.cover[2:]


def _apply(
    hits: Sequence[LocatedHit],
    indices: list[int],
    found: Sequence[Suppression],
    numbers: Iterable[int],
    chosen: dict[int, Suppression],
) -> set[int]:
    """Choose a suppression for each hit of one rule in one file that is covered; return those that cover any."""
    indices = sorted(indices, key=lambda index: hits[index].place.span[:2])
    positions: list[_Position] = [hits[index].place.span[:2] for index in indices]
    ranges: dict[tuple[_Position, _Position], list[int]] = {}
    for number in numbers:
        ranges.setdefault(_range(found[number]), []).append(number)
    used: set[int] = set()
    # Outer ones first, so that among equals the innermost has the last word.
    for (start, end), same in sorted(ranges.items()):
        covered = indices[bisect_left(positions, start) : bisect_left(positions, end)]
        if not covered:
            continue
        used.update(same)
        best = min((found[number] for number in same), key=lambda one: _RANKS[one.form])
        for index in covered:
            if index not in chosen or _RANKS[best.form] <= _RANKS[chosen[index].form]:
                chosen[index] = best
    return used


def _suppressed(path: str, one: Suppression) -> Suppressed:
    if one.tool:
        by = "trivy comment" if one.tool == "trivy" else f"{one.tool} annotation"
    else:
        by = "annotation" if one.form == "annotation" else "comment"
    return Suppressed(by, one.reason, path, one.place.span.line)


def _has_ended(one: Suppression, day: str) -> bool:
    return bool(one.until) and one.until < day


class _Names:
    """What words in suppressions stand for."""

    def __init__(self) -> None:
        self._rules = rules()
        self._codes = {rule.code: rule.name for rule in self._rules.values()}
        self._equivalents: dict[tuple[str, str], set[str]] = {}
        self._elsewhere: dict[str, set[str]] = {}
        for rule in self._rules.values():
            for tool, checks in rule.equivalents.items():
                for check in map(_check, checks):
                    self._equivalents.setdefault((tool, check), set()).add(rule.name)
                    self._elsewhere.setdefault(check, set()).add(rule.name)
                self._equivalents.setdefault((tool, "*"), set()).add(rule.name)

    def own(self, word: str) -> str | None:
        """The rule with this name or code."""
        return word if word in self._rules else self._codes.get(word.upper())

    def meant(self, one: Suppression) -> set[str]:
        """The known rules that a suppression means."""
        if one.tool:
            return {name for check in one.rules for name in self._equivalents.get((one.tool, _check(check)), ())}
        return {name for name in map(self.own, one.rules) if name}

    def unknown(self, word: str, *, suggest: bool) -> tuple[str, dict[str, str]]:
        """The wording for a word that is no rule, and its values."""
        upper = word.upper()
        if word in AREAS or upper in ("ALL", "*") or re.fullmatch(_PREFIX_OF_CODES, upper):
            return "several-rules", {"rule": word}
        elsewhere = self._elsewhere.get(_check(word))
        if elsewhere:
            return "equivalent", {"rule": word, "suggestion": ", ".join(sorted(elsewhere))}
        if suggest:
            from kubelint_ack.values import nearest

            near = nearest(word, [*self._rules, *self._codes])
            if near:
                return "similar", {"rule": word, "suggestion": near}
        return "default", {"rule": word}


_PREFIX_OF_CODES = r"KLA\d{0,3}"
# Trivy knows one check as KSV017, KSV-0017 and AVD-KSV-0017.
_TRIVY_CHECK = r"(?:avd-)?(ksv|kcv)-?0*(\d+)"


def _check(name: str) -> str:
    """Another tool's name for a check in the spelling by which names are compared."""
    name = name.lower()
    match = re.fullmatch(_TRIVY_CHECK, name)
    return f"{match[1]}-{match[2]}" if match else name


_PROBLEMS: dict[str, tuple[str, Severity]] = {
    "no-rule": (UNKNOWN_RULE, "error"),
    "unknown-form": (UNKNOWN_RULE, "warning"),
    "bad-until": (EXPIRED, "warning"),
    "misplaced-file": (UNUSED, "warning"),
    "misplaced-resource": (UNUSED, "warning"),
    "nothing-below": (UNUSED, "warning"),
    "inside-value": (UNUSED, "warning"),
}
"""The rule that reports a problem, and its severity unless the rule's is lower; the wording has the problem's name."""


class _Judge:
    """Says what is wrong with the suppressions of one file."""

    def __init__(self, path: str, active: Mapping[str, Active], names: _Names, day: str, require_reason: bool) -> None:
        self.path = path
        self.active = active
        self.names = names
        self.day = day
        self.require_reason = require_reason
        self.unknown: dict[str, tuple[str, dict[str, str]]] = {}

    def about(self, one: Suppression, unused: Collection[str]) -> Iterator[LocatedHit]:
        """All there is to say about a suppression of ours; `unused` are rules of which it has hidden nothing."""
        span = one.place.span
        values: dict[str, Any] = {"rules": list(one.rules), "until": one.until, "written": one.written}
        has_ended = not one.problem and _has_ended(one, self.day)
        if one.problem:
            rule, severity = _PROBLEMS[one.problem]
            yield from self._hit(rule, one.problem, one, span, severity, **values)
        if has_ended:
            yield from self._hit(EXPIRED, "default", one, span, **values)
        if self.require_reason and one.rules and not one.reason:
            yield from self._hit(WITHOUT_REASON, "default", one, span, **values)
        for word, where in zip(one.rules, one.words):
            name = self.names.own(word)
            if name is None:
                message, named = self._unknown(word)
                yield from self._hit(UNKNOWN_RULE, message, one, where, "warning", **named)
            elif not one.problem and not has_ended and one.judged and name in unused:
                yield from self._unused(one, name, where)

    def _unknown(self, word: str) -> tuple[str, dict[str, str]]:
        if word not in self.unknown:
            self.unknown[word] = self.names.unknown(word, suggest=len(self.unknown) < _MOST_SUGGESTIONS)
        return self.unknown[word]

    def _unused(self, one: Suppression, name: str, where: Span) -> Iterator[LocatedHit]:
        if name not in self.active or self.active[name].ack_only:
            return
        if one.form == "block" and one.place.field:
            yield from self._hit(UNUSED, "block", one, where, rule=name, field=one.place.field)
        else:
            yield from self._hit(UNUSED, "line" if one.form == "line" else "default", one, where, rule=name)

    def _hit(
        self, rule: str, message: str, one: Suppression, span: Span, at_most: Severity = "error", /, **values: Any
    ) -> Iterator[LocatedHit]:
        active = self.active.get(rule)
        if active is not None:
            place = one.place._replace(span=span)
            yield LocatedHit(rule, self.path, place, one.resource, message, active.graded(at_most), values)
