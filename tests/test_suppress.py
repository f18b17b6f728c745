"""What suppressions are found in a file, what they cover, and what is said about them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection

import msgspec
import pytest

from kubelint_ack import suppress
from kubelint_ack.catalog import Active, Rule
from kubelint_ack.decode import decode
from kubelint_ack.records import LocatedHit, Place, Severity, Span, Suppressed
from kubelint_ack.resource import resources
from kubelint_ack.suppress import Marked, Suppression, find_suppressions, mark

TOOLS = ("kube-linter", "kube-score", "polaris", "checkov", "trivy")


def rule(name: str, code: str, severity: Severity = "warning", **equivalents: tuple[str, ...]) -> Rule:
    names = {tool.replace("_", "-"): checks for tool, checks in equivalents.items()}
    return Rule(
        name=name,
        code=code,
        area="manifest",
        severity=severity,
        reads="engine" if code.startswith("KLA00") else "resource",
        kinds=(("*", "any"),),
        needs=(),
        sharpens=(),
        presets=("default",),
        options={},
        security_severity="",
        precision="high",
        tags=(),
        equivalents=names,
    )


RULES = {
    one.name: one
    for one in (
        rule("unused-suppression", "KLA0010", "info"),
        rule("suppression-expired", "KLA0011"),
        rule("suppression-unknown-rule", "KLA0012", "error"),
        rule("suppression-without-reason", "KLA0013"),
        rule(
            "privileged-container",
            "KLA1204",
            kube_linter=("privileged-container",),
            kube_score=("container-security-context-privileged",),
            polaris=("runAsPrivileged",),
            checkov=("CKV_K8S_16", "CKV_K8S_2"),
            trivy=("KSV-0017",),
        ),
        rule("image-latest-tag", "KLA1701", kube_linter=("latest-tag",), trivy=("KSV-0013",)),
        rule("etp-local-in-cluster-access", "KLA3301"),
    )
}
ACTIVE = {name: Active(one, one.severity, {}, False) for name, one in RULES.items()}


@pytest.fixture(autouse=True)
def _catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppress, "rules", lambda: RULES)


def find(text: str) -> list[Suppression]:
    """The suppressions of a manifest, after the way through the cache."""
    decoded = decode(text.encode())
    found = []
    for document in decoded.documents:
        found += [(document, resource) for resource in resources(document.data)[0]]
    suppressions = find_suppressions("web.yaml", decoded, found)
    stored = msgspec.msgpack.encode(suppressions)
    assert msgspec.msgpack.decode(stored, type=list[Suppression]) == suppressions
    return suppressions


def hit(text: str, where: str, name: str = "image-latest-tag") -> LocatedHit:
    """A finding where a text stands in the manifest."""
    at = text.index(where)
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    place = Place(Span(line, column, line, column + len(where)), "field", "field")
    return LocatedHit(name, "web.yaml", place, None, "default", "warning", {"where": where})


def judge(
    text: str,
    *hits: LocatedHit,
    require_reason: bool = False,
    honor: Collection[str] = TOOLS,
    evaluated: Collection[str] = tuple(RULES),
    active: dict[str, Active] = ACTIVE,
    today: datetime.date = datetime.date(2026, 11, 24),
) -> Marked:
    """The hits divided by the manifest's suppressions."""
    return mark(
        hits,
        {"web.yaml": find(text)},
        active,
        today=today,
        honor=honor,
        require_reason=require_reason,
        evaluated=set(evaluated),
    )


def kept(text: str, *wheres: str) -> list[str]:
    """Which of the findings at these texts are not suppressed."""
    return [one.values["where"] for one in judge(text, *(hit(text, where) for where in wheres)).kept]


def said(marked: Marked) -> list[tuple[str, str, int]]:
    """Rule, wording and line of what is said about the suppressions."""
    return [(one.rule, one.message, one.place.span.line) for one in marked.extra]


def quoted(text: str, one: LocatedHit) -> str:
    """The text at the place of a finding."""
    span = one.place.span
    assert span.line == span.end_line
    return text.split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]


POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: one
      image: nginx:latest{line}
    - name: two
      image: httpd:latest
"""


def pod(line: str = "", **inserted: str) -> str:
    """The Pod with text at the end of the first image's line and lines above some keys (`spec`, `two` …)."""
    text = POD.format(line=f"  {line}" if line else "")
    for name, comment in inserted.items():
        key = {"top": "apiVersion", "one": "- name: one", "two": "- name: two", "image": "image: nginx"}.get(name, name)
        at = text.rindex("\n", 0, text.index(key)) + 1 if name != "top" else 0
        indent = " " * (text.index(key) - at)
        text = f"{text[:at]}{indent}{comment}\n{text[at:]}"
    return text


# Where a comment stands, and what it covers


def test_comment_at_the_end_of_a_line_covers_that_line() -> None:
    text = pod("# kubelint-ack: ignore[image-latest-tag] follows upstream until=2026-12-31")
    marked = judge(text, hit(text, "image: nginx"), hit(text, "image: httpd"))
    assert [one.values["where"] for one in marked.kept] == ["image: httpd"]
    assert [how for _, how in marked.suppressed] == [Suppressed("comment", "follows upstream", "web.yaml", 8)]
    assert marked.extra == []
    (one,) = find(text)
    assert one.until == "2026-12-31"
    assert one.place.field == "spec.containers[0].image"
    assert one.place.stable == "spec.containers[one].image"
    assert one.resource is not None
    assert one.resource.label == "Pod web"


def test_comment_on_its_own_line_covers_the_next_entry_and_all_inside() -> None:
    assert kept(pod(one="# kubelint-ack: ignore[image-latest-tag]"), "image: nginx", "image: httpd") == ["image: httpd"]
    assert kept(pod(two="# kubelint-ack: ignore[image-latest-tag]"), "image: nginx", "image: httpd") == ["image: nginx"]
    assert kept(pod(spec="# kubelint-ack: ignore[image-latest-tag]"), "name: web", "image: nginx", "image: httpd") == [
        "name: web"
    ]
    assert kept(pod(image="# kubelint-ack: ignore[image-latest-tag]"), "- name: one", "image: nginx") == ["- name: one"]


def test_comment_beside_the_dash_of_an_item_covers_the_item() -> None:
    text = pod().replace("- name: one\n", "- # kubelint-ack: ignore[image-latest-tag]\n      name: one\n")
    assert kept(text, "image: nginx", "image: httpd") == ["image: httpd"]


def test_comments_above_one_another_cover_the_same_entry() -> None:
    text = pod(
        two="# kubelint-ack: ignore[image-latest-tag]\n    # words\n\n    # kubelint-ack: ignore[privileged-container]"
    )
    marked = judge(text, hit(text, "image: httpd"), hit(text, "image: httpd", "privileged-container"))
    assert marked.kept == []
    assert marked.extra == []


def test_names_and_codes_in_any_spacing() -> None:
    text = pod("# kubelint-ack:ignore[ kla1701 ,privileged-container]: because until=2027-01-31.")
    marked = judge(text, hit(text, "image: nginx"), hit(text, "image: nginx", "privileged-container"))
    assert marked.kept == []
    assert {how.reason for _, how in marked.suppressed} == {"because"}


def test_other_comments_on_the_same_line() -> None:
    text = pod("# pinned later #123 # kubelint-ack: ignore[image-latest-tag] see #4 # and so on")
    marked = judge(text, hit(text, "image: nginx"))
    assert marked.kept == [], "a comment may follow other words after another '#'"
    assert marked.suppressed[0][1].reason == "see #4"
    text = pod("# see kubelint-ack: ignore[image-latest-tag] in the manual")
    assert find(text) == [], "words in a sentence are no suppression"


def test_flow_style() -> None:
    """KYAML: braces, quoted keys, comments and trailing commas."""
    text = """\
---
{
  apiVersion: "v1",
  kind: "Pod",
  metadata: {name: "web"},
  spec: {
    containers: [
      # kubelint-ack: ignore[image-latest-tag] first
      {name: "one", image: "nginx:latest"},
      {
        name: "two",
        image: "httpd:latest", # kubelint-ack: ignore[image-latest-tag] second
      },
      {name: "three", image: "redis:latest"},
    ], # kubelint-ack: ignore[privileged-container]
    nodeName: "a",
  },
}
"""
    assert kept(text, 'image: "nginx', 'image: "httpd', 'image: "redis') == ['image: "redis']
    assert find(text)[2].place.field == "spec.containers[2]", "nothing begins on the line: what was last"


def test_chinese_and_emoji_before_the_comment() -> None:
    text = pod().replace("nginx:latest", '"镜像🐳:latest"  # kubelint-ack: ignore[image-latest-tag, no-such] 跟随上游')
    marked = judge(text, hit(text, "image: "))
    assert marked.kept == []
    assert marked.suppressed[0][1].reason == "跟随上游"
    assert [quoted(text, one) for one in marked.extra] == ["no-such"]


def test_windows_line_ends() -> None:
    text = pod("# kubelint-ack: ignore[image-latest-tag] reason").replace("\n", "\r\n")
    marked = judge(text, hit(text, "image: nginx"))
    assert [how.reason for _, how in marked.suppressed] == ["reason"]
    text = pod(top="# kubelint-ack: ignore-file[image-latest-tag] reason").replace("\n", "\r\n")
    assert kept(text, "image: nginx", "image: httpd") == []


TWO = "---\n{0}apiVersion: v1\nkind: Pod\nspec: one\n{1}---\n{2}apiVersion: v1\nkind: Pod\nspec: two\n"


def test_file_form() -> None:
    comment = "# kubelint-ack: ignore-file[image-latest-tag] reason\n"
    above = comment + TWO.format("", "", "")
    assert kept(above, "spec: one", "spec: two") == []
    inside = "# Copyright\n\n" + TWO.format(comment, "", "")
    assert kept(inside, "spec: one", "spec: two") == []
    late = TWO.format("", "", comment)
    marked = judge(late, hit(late, "spec: two"))
    assert len(marked.kept) == 1
    assert find(above)[0].resource is None
    assert said(marked) == [("unused-suppression", "misplaced-file", 6)]
    assert marked.extra[0].values["written"] == "ignore-file"


def test_file_form_beside_the_first_key_is_misplaced() -> None:
    text = pod().replace("v1", "v1  # kubelint-ack: ignore-file[image-latest-tag]", 1)
    assert said(judge(text)) == [("unused-suppression", "misplaced-file", 1)]


def test_resource_form() -> None:
    comment = "# kubelint-ack: ignore-resource[image-latest-tag] reason\n"
    assert kept(comment + TWO.format("", "", ""), "spec: one", "spec: two") == ["spec: two"]
    assert kept(TWO.format(comment, "", ""), "spec: one", "spec: two") == ["spec: two"]
    assert kept(TWO.format("", "", comment), "spec: one", "spec: two") == ["spec: one"]
    assert kept(TWO.replace("---\n{2}", "--- " + comment).format("", ""), "spec: one", "spec: two") == ["spec: one"]
    below = TWO.format("", comment, "")
    marked = judge(below, hit(below, "spec: one"), hit(below, "spec: two"))
    assert len(marked.kept) == 2
    assert said(marked) == [("unused-suppression", "misplaced-resource", 5)]


LIST = """\
apiVersion: v1
kind: List
items:
{0}- apiVersion: v1
  kind: Pod
  metadata: {{name: one}}
- apiVersion: v1
  kind: Pod
  metadata: {{name: two}}
"""


@pytest.mark.parametrize(
    "comment",
    [
        "# kubelint-ack: ignore[image-latest-tag]\n",
        "# kubelint-ack: ignore-resource[image-latest-tag]\n",
        "- # kubelint-ack: ignore-resource[image-latest-tag]\n  ",
        "-\n  # kubelint-ack: ignore-resource[image-latest-tag]\n  ",
    ],
)
def test_comment_above_an_item_of_a_list_covers_the_item(comment: str) -> None:
    text = LIST.format(comment)
    if comment.startswith("-"):
        text = text.replace("  - api", "  api", 1)
    marked = judge(text, hit(text, "name: one"), hit(text, "name: two"))
    assert [one.values["where"] for one in marked.kept] == ["name: two"]
    (one,) = find(text)
    assert one.resource is not None
    assert one.resource.label == "Pod one"
    assert one.place.field == ""


def test_block_with_nothing_below() -> None:
    text = pod() + "# kubelint-ack: ignore[image-latest-tag]\n"
    assert said(judge(text)) == [("unused-suppression", "nothing-below", 11)]


def test_finding_in_one_line_json_is_compared_by_column() -> None:
    text = (
        '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"one","annotations":'
        '{"kubelint-ack.io/ignore":"image-latest-tag"}},"spec":1},{"apiVersion":"v1","kind":"Pod","spec":2}]}\n'
    )
    marked = judge(text, hit(text, '"spec":1'), hit(text, '"spec":2'))
    assert [one.values["where"] for one in marked.kept] == ['"spec":2']
    assert marked.suppressed[0][1].by == "annotation"


def test_text_of_a_block_scalar_is_no_comment() -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    # kubelint-ack: ignore[image-latest-tag]\n    b: c\n"
        "  d: >  # kubelint-ack: ignore[privileged-container]\n    # kubelint-ack: ignore[image-latest-tag]\n"
    )
    marked = judge(text, hit(text, "b: c"), hit(text, "d: >", "privileged-container"))
    assert [one.values["where"] for one in marked.kept] == ["b: c"]
    assert said(marked) == [("unused-suppression", "inside-value", 5)], "once, and not for the comment of the header"
    assert quoted(text, marked.extra[0]) == "kubelint-ack: ignore[image-latest-tag]"
    assert marked.extra[0].place.field == "data.a"


# Annotations

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    {0}
spec:
  replicas: 1
  template:
    metadata:
      annotations:
        {1}
    spec:
      image: a
"""


def deployment(own: str = "a: b", template: str = "a: b") -> str:
    return DEPLOYMENT.format(own, template)


def test_annotation_covers_the_object() -> None:
    text = deployment('kubelint-ack.io/ignore: "image-latest-tag, KLA1204"')
    marked = judge(text, hit(text, "replicas"), hit(text, "image", "privileged-container"))
    assert [how for _, how in marked.suppressed] == [Suppressed("annotation", "", "web.yaml", 6)] * 2
    assert marked.extra == []


def test_annotation_for_one_rule_gives_its_reason() -> None:
    text = deployment("kubelint-ack.io/ignore.image-latest-tag: follows upstream until=2026-11-24")
    marked = judge(text, hit(text, "replicas"), hit(text, "image: a", "privileged-container"))
    assert [how for _, how in marked.suppressed] == [Suppressed("annotation", "follows upstream", "web.yaml", 6)]
    assert len(marked.kept) == 1


def test_annotation_of_the_pod_template_covers_the_template() -> None:
    assert kept(deployment(template="kubelint-ack.io/ignore: image-latest-tag"), "replicas", "image: a") == ["replicas"]


def test_words_of_an_annotation_are_judged_each_at_its_place() -> None:
    text = deployment(
        'kubelint-ack.io/ignore: "image-latest-tag, privileged-container, image-last-tag until=2027-01-31"'
    )
    marked = judge(text, hit(text, "image: a"))
    assert [(one.rule, quoted(text, one)) for one in marked.extra] == [
        ("unused-suppression", "privileged-container"),
        ("suppression-unknown-rule", "image-last-tag"),
    ]
    assert find(text)[0].until == "2027-01-31"
    text = deployment('kubelint-ack.io/ignore: "until=2027-01-31 image-last-tag"')
    assert [quoted(text, one) for one in judge(text).extra] == ["image-last-tag"]


def test_annotation_that_a_template_decides() -> None:
    """The rules are not known before rendering; a reason may be."""
    assert find(deployment('kubelint-ack.io/ignore: "{{ .Values.ignore }}"')) == []
    text = deployment('kubelint-ack.io/ignore.image-latest-tag: "{{ .Values.reason }}"')
    assert kept(text, "image: a") == []


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ('kubelint-ack.io/ignore: ""', "no-rule"),
        ("kubelint-ack.io/ignore: true", "no-rule"),
        ("kubelint-ack.io/ignore:", "no-rule"),
        ("kubelint-ack.io/ignore.: reason", "no-rule"),
        ("kubelint-ack.io/disable: image-latest-tag", "unknown-form"),
    ],
)
def test_annotation_without_rule(annotation: str, message: str) -> None:
    text = deployment(annotation)
    marked = judge(text, hit(text, "image: a"))
    assert len(marked.kept) == 1
    assert said(marked) == [("suppression-unknown-rule", message, 6)]
    assert marked.extra[0].values["written"] == annotation.partition(": ")[0].removesuffix(":")


# What is said about suppressions


@pytest.mark.parametrize(
    ("comment", "severity", "message", "quote"),
    [
        ("ignore", "error", "no-rule", "ignore"),
        ("ignore[]", "error", "no-rule", "ignore[]"),
        ("ignore: image-latest-tag", "error", "no-rule", "ignore: image-latest-tag"),
        ("ignore image-latest-tag # why", "error", "no-rule", "ignore image-latest-tag"),
        ("ignore-line[image-latest-tag]", "warning", "unknown-form", "ignore-line[image-latest-tag]"),
        ("ignore(image-latest-tag)", "warning", "unknown-form", "ignore(image-latest-tag)"),
        ("ignore[image-latest-tag", "warning", "unknown-form", "ignore[image-latest-tag"),
        ("disable=image-latest-tag", "warning", "unknown-form", "disable=image-latest-tag"),
    ],
)
def test_comment_that_suppresses_nothing(comment: str, severity: str, message: str, quote: str) -> None:
    text = pod(f"# kubelint-ack: {comment}")
    marked = judge(text, hit(text, "image: nginx"))
    assert len(marked.kept) == 1
    assert said(marked) == [("suppression-unknown-rule", message, 8)]
    assert marked.extra[0].severity == severity
    assert quoted(text, marked.extra[0]) == f"kubelint-ack: {quote}"


def test_comment_without_colon() -> None:
    text = pod("# kubelint-ack ignore[image-latest-tag]")
    assert said(judge(text)) == [("suppression-unknown-rule", "unknown-form", 8)]


@pytest.mark.parametrize(
    "comment", ["# kubelint-ack", "# kubelint-ack: checks this (see the docs)", "# made by kubelint-ack [x]"]
)
def test_comment_that_only_mentions_the_tool(comment: str) -> None:
    assert find(pod(comment)) == []


@pytest.mark.parametrize(
    ("word", "message", "suggestion"),
    [
        ("image-lastest-tag", "similar", "image-latest-tag"),
        ("zzz", "default", None),
        ("runAsPrivileged", "equivalent", "privileged-container"),
        ("AVD-KSV-0013", "equivalent", "image-latest-tag"),
        ("security", "several-rules", None),
        ("ALL", "several-rules", None),
        ("KLA17", "several-rules", None),
    ],
)
def test_unknown_rule(word: str, message: str, suggestion: str | None) -> None:
    text = pod(f"# kubelint-ack: ignore[{word}] reason")
    marked = judge(text, hit(text, "image: nginx"))
    assert len(marked.kept) == 1
    assert said(marked) == [("suppression-unknown-rule", message, 8)]
    assert marked.extra[0].severity == "warning"
    assert marked.extra[0].values.get("suggestion") == suggestion
    assert quoted(text, marked.extra[0]) == word


def test_unused_names_the_rule_and_points_at_its_word() -> None:
    text = pod("# kubelint-ack: ignore[privileged-container, image-latest-tag]", spec="# kubelint-ack: ignore[KLA1204]")
    marked = judge(text, hit(text, "image: nginx"))
    assert said(marked) == [("unused-suppression", "block", 5), ("unused-suppression", "line", 9)]
    assert [quoted(text, one) for one in marked.extra] == ["KLA1204", "privileged-container"]
    assert [one.values for one in marked.extra] == [
        {"rule": "privileged-container", "field": "spec"},
        {"rule": "privileged-container"},
    ]
    assert {one.severity for one in marked.extra} == {"info"}
    assert {one.resource.label for one in marked.extra if one.resource} == {"Pod web"}


def test_every_suppression_that_covers_a_finding_is_used() -> None:
    """Taking either away would change nothing, so neither is called unused; the nearest gives the reason."""
    text = pod(
        "# kubelint-ack: ignore[image-latest-tag] line", top="# kubelint-ack: ignore-file[image-latest-tag] file"
    )
    marked = judge(text, hit(text, "image: nginx"), hit(text, "image: httpd"))
    assert [how.reason for _, how in marked.suppressed] == ["line", "file"]
    assert marked.extra == []


@pytest.mark.parametrize(
    "changed",
    [
        {"evaluated": ["image-latest-tag"]},
        {"active": {name: one for name, one in ACTIVE.items() if name != "privileged-container"}},
        {"active": {name: one._replace(ack_only=name == "privileged-container") for name, one in ACTIVE.items()}},
        {"active": {name: one for name, one in ACTIVE.items() if name != "unused-suppression"}},
    ],
    ids=["not judged", "off", "for ACK only", "not wanted"],
)
def test_unused_is_only_said_of_rules_that_could_judge(changed: dict[str, object]) -> None:
    text = pod("# kubelint-ack: ignore[privileged-container]")
    assert len(judge(text).extra) == 1
    assert judge(text, **changed).extra == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        pod("# kubelint-ack: ignore[image-latest-tag]").replace("nginx:latest", '"{{ .Values.image }}"'),
        pod("# kubelint-ack: ignore[image-latest-tag]")
        .replace("v1", "kustomize.config.k8s.io/v1")
        .replace("Pod", "Component"),
        "# kubelint-ack: ignore-file[image-latest-tag]\na: b\nc: |\n  # kubelint-ack: ignore[image-latest-tag]\n",
        pod(top="# kubelint-ack: ignore-file[image-latest-tag]") + "---\na: {\n",
    ],
    ids=["placeholder", "no resource", "no resource in the file", "another document failed"],
)
def test_unused_is_not_said_where_not_everything_was_checked(text: str) -> None:
    assert len(find(text)) == 1
    assert judge(text).extra == []


def test_expired_suppression_brings_the_finding_back() -> None:
    text = pod("# kubelint-ack: ignore[image-latest-tag] later until=2026-11-24")
    assert judge(text, hit(text, "image: nginx")).kept == [], "the day itself still counts"
    marked = judge(text, hit(text, "image: nginx"), today=datetime.date(2026, 11, 25))
    assert len(marked.kept) == 1
    assert said(marked) == [("suppression-expired", "default", 8)]
    assert marked.extra[0].values == {"rules": ["image-latest-tag"], "until": "2026-11-24", "written": "ignore"}
    assert quoted(text, marked.extra[0]).startswith("kubelint-ack: ignore[image-latest-tag] later until")


@pytest.mark.parametrize("until", ["2026-02-30", "31.01.2027", "20270131", "soon", ""])
def test_unreadable_date_suppresses_nothing(until: str) -> None:
    text = pod(f"# kubelint-ack: ignore[image-latest-tag] until={until}")
    marked = judge(text, hit(text, "image: nginx"))
    assert len(marked.kept) == 1
    assert said(marked) == [("suppression-expired", "bad-until", 8)]
    assert marked.extra[0].values["until"] == (until or "until=")


def test_reason_may_be_required() -> None:
    text = pod("# kubelint-ack: ignore[image-latest-tag] until=2027-01-31", two="# kubelint-ack: ignore[KLA1701] why")
    hits = hit(text, "image: nginx"), hit(text, "image: httpd")
    assert judge(text, *hits).extra == []
    marked = judge(text, *hits, require_reason=True)
    assert marked.kept == [], "it still counts"
    assert said(marked) == [("suppression-without-reason", "default", 8)]
    bare = judge(pod("# kubelint-ack: ignore"), require_reason=True)
    assert said(bare) == [("suppression-unknown-rule", "no-rule", 8)], "there is nothing to give a reason for"


def test_nothing_covers_what_is_said_about_suppressions() -> None:
    text = pod(top="# kubelint-ack: ignore-file[unused-suppression, image-latest-tag]")
    marked = judge(text, evaluated=["unused-suppression", "image-latest-tag"])
    assert [quoted(text, one) for one in marked.extra] == ["unused-suppression", "image-latest-tag"]


# Other tools


@pytest.mark.parametrize(
    ("annotation", "by", "reason"),
    [
        ("ignore-check.kube-linter.io/privileged-container: needs it", "kube-linter annotation", "needs it"),
        ("kube-linter.io/ignore-all: legacy", "kube-linter annotation", "legacy"),
        ("kube-score/ignore: pod-probes, container-security-context-privileged", "kube-score annotation", ""),
        ('polaris.fairwinds.com/runAsPrivileged-exempt: "true"', "polaris annotation", ""),
        ('polaris.fairwinds.com/exempt: "True"', "polaris annotation", ""),
        ("checkov.io/skip1: CKV_K8S_16=needs = it", "checkov annotation", "needs = it"),
        ("checkov.io/skip2: CKV_K8S_2", "checkov annotation", ""),
    ],
)
def test_other_tools_annotations_count(annotation: str, by: str, reason: str) -> None:
    text = deployment(annotation)
    found = hit(text, "image: a", "privileged-container")
    marked = judge(text, found, hit(text, "image: a", "etp-local-in-cluster-access"))
    assert [how for _, how in marked.suppressed] == [Suppressed(by, reason, "web.yaml", 6)]
    assert [one.rule for one in marked.kept] == ["etp-local-in-cluster-access"], "a rule that the tool does not have"
    assert marked.extra == []
    tool = by.split()[0]
    assert judge(text, found, honor=[one for one in TOOLS if one != tool]).kept == [found]


@pytest.mark.parametrize(
    "annotation",
    [
        "ignore-check.kube-linter.io/no-such-check: x",
        "ignore-check.kube-linter.io/latest-tag: unused",
        'polaris.fairwinds.com/exempt: "false"',
        "polaris.fairwinds.com/fixed: x",
        "kube-score/enable: container-security-context-privileged",
        "checkov.io/skip1: CKV_K8S_99",
        "kube-linter.io/other: x",
    ],
)
def test_other_tools_annotations_that_mean_nothing_here(annotation: str) -> None:
    text = deployment(annotation)
    marked = judge(text, hit(text, "image: a", "privileged-container"), require_reason=True)
    assert len(marked.kept) == 1
    assert marked.extra == []


@pytest.mark.parametrize("check", ["KSV013", "ksv-0013", "AVD-KSV-0013", "*"])
def test_trivy_names_in_every_spelling(check: str) -> None:
    text = pod(one=f"#trivy:ignore:{check}")
    marked = judge(text, hit(text, "image: nginx"), hit(text, "image: httpd"))
    assert [one.values["where"] for one in marked.kept] == ["image: httpd"]
    assert marked.suppressed[0][1].by == "trivy comment"
    assert judge(text, hit(text, "image: nginx"), honor=()).suppressed == []


def test_trivy_covers_the_object_below() -> None:
    comment = "# trivy:ignore:KSV017 trivy:ignore:KSV013:exp:2027-01-31"
    assert kept(pod(top=comment), "image: nginx", "image: httpd") == [], "above the first key: the whole object"
    text = pod().replace(
        "      image: nginx", f"      security:\n        {comment}\n        a: 1\n        b: 2\n      image: nginx"
    )
    assert kept(text, "a: 1", "b: 2", "image: nginx") == ["image: nginx"]
    text = pod().replace(
        "      image: nginx", f"      security:\n        a: 1 {comment}\n        b: 2\n      image: nginx"
    )
    assert kept(text, "a: 1", "b: 2", "image: nginx") == ["image: nginx"]
    text = pod().replace("- name: one", f"- name: one {comment}")
    assert kept(text, "image: nginx", "image: httpd") == ["image: httpd"], "beside the first key: the item"


@pytest.mark.parametrize("date", ["2026-01-31", "soon"])
def test_trivy_comment_that_has_ended_is_passed_over(date: str) -> None:
    text = pod(one=f"# trivy:ignore:KSV013:exp:{date}")
    marked = judge(text, hit(text, "image: nginx"))
    assert len(marked.kept) == 1
    assert marked.extra == []


def test_own_suppression_comes_before_another_tools() -> None:
    text = pod("# kubelint-ack: ignore[image-latest-tag] ours # trivy:ignore:KSV013")
    assert [how.by for _, how in judge(text, hit(text, "image: nginx")).suppressed] == ["comment"]


# The whole


def test_hits_keep_their_order_and_files_their_own_suppressions() -> None:
    text = pod("# kubelint-ack: ignore[image-latest-tag]")
    one, two = hit(text, "image: httpd"), hit(text, "image: nginx")
    other = two._replace(path="other.yaml")
    marked = judge(text, other, one, two, one)
    assert marked.kept == [other, one, one]
    assert [found for found, _ in marked.suppressed] == [two]


def test_file_without_suppressions_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = pod("# an ordinary comment")
    decoded = decode(text.encode())
    found = [(decoded.documents[0], resource) for resource in resources(decoded.documents[0].data)[0]]

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(type(decoded), "comments", refuse)
    monkeypatch.setattr(suppress, "View", refuse)
    assert find_suppressions("web.yaml", decoded, found) == []


def _many_comments() -> str:
    return "apiVersion: v1\nkind: ConfigMap\ndata:\n" + "".join(
        f"  # kubelint-ack: ignore[no-such-{number}]\n  k{number}: v\n" for number in range(4000)
    )


def _stacked_comments() -> str:
    return "# kubelint-ack: ignore[image-latest-tag]\n" * 4000 + "apiVersion: v1\nkind: Pod\n"


def _many_annotations() -> str:
    lines = "".join(f"    kubelint-ack.io/ignore.x{number}: y\n" for number in range(4000))
    return f"apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n{lines}"


@pytest.mark.parametrize("make", [_many_comments, _stacked_comments, _many_annotations])
def test_many_suppressions_do_not_take_long(make: Callable[[], str]) -> None:
    import time

    text = make()
    begin = time.perf_counter()
    marked = judge(text, *[hit(text, "kind")] * 4000)
    assert len(marked.extra) + len(marked.kept) >= 4000
    assert time.perf_counter() - begin < 5
