"""Objects against the API of each Kubernetes version of a run: mistakes as hits of the rules about the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kubelint_ack import apis, store
from kubelint_ack.crds import Definition, Version
from kubelint_ack.kinds import may_be_built_in
from kubelint_ack.records import SEVERITIES, FieldPath, Hit, LocatedHit, Route, Step, field_text
from kubelint_ack.resource import Resource
from kubelint_ack.schema import Mistake, Node, label, validate
from kubelint_ack.values import nearest
from kubelint_ack.views import View, Workload

if TYPE_CHECKING:
    from kubelint_ack import cel

# What only custom resources need is imported where it is used.

RULES = (
    "unknown-field",
    "wrong-type",
    "missing-field",
    "invalid-enum",
    "invalid-format",
    "value-out-of-range",
    "duplicate-item",
    "exclusive-fields",
    "schema-mismatch",
    "crd-validation-failed",
)
"""The rules whose findings come from here."""


class Conflict(NamedTuple):
    """A mistake in the words of its rule, and the minor versions (None: not declared) in which it is one."""

    rule: str
    hit: Hit
    minors: tuple[int | None, ...]


def conflicts(view: View, minors: Iterable[int | None]) -> list[Conflict]:
    """What the API server of these versions would refuse of an object of a built-in kind."""
    found: dict[tuple[Any, ...], Conflict] = {}
    api_version, kind = f"{view.id.group}/{view.id.version}".removeprefix("/"), view.kind
    secret = view.family == ("", "Secret")
    for minor in minors:
        node = apis.kind_node(api_version, kind, minor)
        if node is None:
            continue
        told_of = [_told(one, node, view, minor) for one in validate(node, view.data)]
        for told in _without_echoes([one for one in told_of if one is not None]):
            if secret and "value" in told.values:
                told = told._replace(values={**told.values, "value": "…"})
            key = (told.rule, told.route, told.message, repr(told.values))
            known = found.get(key)
            hit = known.hit if known else _hit(told)
            found[key] = Conflict(told.rule, hit, (*(known.minors if known else ()), minor))
    return list(found.values())


class Judged(NamedTuple):
    """What is to be said of a custom resource."""

    conflicts: list[Conflict]
    reason: str = ""
    """Why it could not be judged wholly: `no-schema` or `cel`."""


def judge(lenses: Sequence[View], found: Sequence[Definition], minors: Iterable[int | None]) -> Judged:
    """What the API server of these versions would refuse of an object. `found`: what the project says of its kind."""
    view = lenses[0]
    group, version, kind = view.id[:3]
    if may_be_built_in(group) and (
        store.kind_history(f"{group}/{version}".removeprefix("/"), kind) or kind in store.groups().get(group, ())
    ):
        return Judged(conflicts(view, minors))
    judged = judge_custom(view, found, minors) if found else Judged([], "no-schema")
    known = {one.hit.at.route for one in judged.conflicts}
    templates = [one for lens in lenses if isinstance(lens, Workload) for one in _template_conflicts(lens, minors)]
    return judged._replace(conflicts=[*judged.conflicts, *(one for one in templates if one.hit.at.route not in known)])


# Pod templates of these kinds have fields of their own, or leave out what others must have.
_OTHER_TEMPLATES = frozenset({"serving.knative.dev", "game.kruise.io", "apps.openshift.io"})
_POD_TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec"


def _template_conflicts(lens: Workload, minors: Iterable[int | None]) -> Iterator[Conflict]:
    """What the API server would refuse of the pods that a custom resource makes: its controller is told, not the user.

    A warning at most: the controller may change the template.
    """
    if lens.id.group in _OTHER_TEMPLATES or not isinstance(lens.get(*lens.pod_route), dict):
        return
    template = View(Resource(lens.id._replace(kind="template"), lens.family, dict(lens.template), ()))
    found: dict[tuple[str, Route, str], Conflict] = {}
    for minor in minors:
        oldest, newest = store.minors()
        judging = newest if minor is None else min(max(minor, oldest), newest)
        node = apis.definition(_POD_TEMPLATE, judging, minor is not None)
        told_of = [_told(one, node, template, minor) for one in validate(node, template.data)]
        for one in _without_echoes([one for one in told_of if one is not None]):
            values = dict(one.values)
            if "place" in values:
                values["place"] = f"{field_text(lens.pod_route)}.{values['place']}"
            moved = one._replace(route=(*lens.pod_route, *one.route), values=values, severity="warning")
            known = found.get((moved.rule, moved.route, moved.message))
            earlier = known.minors if known else ()
            hit = known.hit if known else _hit(moved)
            found[(moved.rule, moved.route, moved.message)] = Conflict(moved.rule, hit, (*earlier, minor))
    yield from found.values()


def judge_custom(view: View, found: Sequence[Definition], minors: Iterable[int | None]) -> Judged:
    """What the API server would refuse of a custom resource, by what the project says of its kind.

    Where it says several things (old and new copies of a definition), only what all of them refuse.
    """
    named = [one for one in found if view.id.version in one.versions]
    if not named:
        complete = [one for one in found if one.is_complete]
        if not complete or len(complete) < len(found):
            return Judged([], "no-schema")
        served = [name for one in complete for name, version in one.versions.items() if version.served]
        return Judged([_unserved(view, served, minors)])
    answers = [_by_version(view, one.versions[view.id.version]) for one in named]
    if not all(one.versions[view.id.version].served for one in named):
        served = [name for one in named for name, version in one.versions.items() if version.served]
        if view.id.version not in served:
            return Judged([_unserved(view, served, minors)])
    reason = next((reason for _, reason in answers if reason), "")
    shared = [mistakes for mistakes, reason in answers if reason != "no-schema"]
    if len(shared) < len(answers):
        return Judged([], reason)
    first, *others = shared
    keys = [{(one.rule, one.route) for one in other} for other in others]
    kept = [one for one in first if all((one.rule, one.route) in key for key in keys)]
    return Judged([Conflict(one.rule, _hit(one), tuple(minors)) for one in kept], reason)


def _unserved(view: View, served: Sequence[str], minors: Iterable[int | None]) -> Conflict:
    names = ", ".join(dict.fromkeys(served)) or "-"
    hit = Hit(
        FieldPath(("apiVersion",), "value"),
        message="crd-version",
        kind=view.kind,
        group=view.id.group,
        version=view.id.version,
        served=names,
    )
    return Conflict("unknown-kind", hit, tuple(minors))


class _Compiled(NamedTuple):
    schema: Any
    node: Node
    has_rules: bool
    """Whether it has CEL rules."""
    has_defaults: bool


_compiled: dict[int, _Compiled] = {}


def _compile(version: Version) -> _Compiled:
    """The compiled schema of a version: made once for each definition."""
    schema = version.schema
    known = _compiled.get(id(schema))
    if known is None or known.schema is not schema:
        if len(_compiled) > _MOST_COMPILED:
            _compiled.clear()
        assert schema is not None
        from kubelint_ack import cel
        from kubelint_ack.custom_schema import compile_custom, has_defaults

        newest = store.minors()[1]
        node = compile_custom(schema, lambda: apis.definition(apis.OBJECT_META, newest, False))
        known = _compiled[id(schema)] = _Compiled(schema, node, cel.has_rules(schema), has_defaults(schema))
    return known


_MOST_COMPILED = 500


def _by_version(view: View, version: Version) -> tuple[list[Mistake], str]:
    """What is wrong by one version of one definition, and why it could not be judged wholly."""
    if version.schema is None:
        return [], "no-schema"
    from kubelint_ack import cel
    from kubelint_ack.custom_schema import holds_null, holds_unknown, prepared

    if version.is_foreign:
        from kubelint_ack.validation import foreign_mistakes

        foreign = foreign_mistakes(view.data, version.schema)
        if foreign is None:
            return [], "no-schema"
        known = [(route, text) for route, text in foreign if not holds_unknown(view.get(*route))]
        return [_foreign(route, text, view) for route, text in known], ""
    node = (compiled := _compile(version)).node
    data: Any = view.data
    if compiled.has_defaults or holds_null(data):
        data = prepared(data, version.schema)
    mistakes = [
        one
        for one in validate(node, data)
        if not (version.has_status and one.route[:1] == ("status",) and one.rule != "unknown-field")
    ]
    told_of = [_told(one, node, view, None) for one in mistakes]
    told = _without_echoes([one for one in told_of if one is not None])
    if told or not compiled.has_rules:
        # As the server does: rules are evaluated on what fits the schema.
        return told, ""
    evaluation = cel.evaluate(data, version.schema)
    return [_failed(one, view) for one in evaluation.failed], "" if evaluation.is_complete else "cel"


def _failed(one: cel.Failed, view: View) -> Mistake:
    values = {"field": label(one.route) or view.kind, "rule": one.rule, "text": one.message}
    return Mistake("crd-validation-failed", one.route, "field", "message" if one.message else "rule", values)


def _foreign(route: Route, text: str, view: View) -> Mistake:
    values = {"field": label(route) or view.kind, "text": text}
    return Mistake("schema-mismatch", route, "field", "foreign", values)


def _without_echoes(mistakes: list[Mistake]) -> list[Mistake]:
    """The mistakes without missing fields of maps in which an unknown field stands for them."""
    instead: dict[Route, set[Any]] = {}
    for one in mistakes:
        if one.rule == "unknown-field" and one.message in ("default", "nearest"):
            instead.setdefault(one.route[:-1], set()).add(one.values.get("near"))
    if not instead:
        return mistakes

    def is_echo(one: Mistake) -> bool:
        if one.rule != "missing-field":
            return False
        if one.message == "one-of":
            return one.route in instead
        return bool(instead.get(one.route[:-1], set()) & {None, one.route[-1]})

    return [one for one in mistakes if not is_echo(one)]


def _hit(one: Mistake) -> Hit:
    return Hit(FieldPath(one.route, one.part), message=one.message, severity=one.severity, **one.values)


_STRICT = ("unknown-field", "wrong-type")
_DECODING = {("invalid-format", form) for form in ("byte", "date-time", "quantity")}


def _told(one: Mistake, root: Node, view: View, minor: int | None) -> Mistake | None:
    """A mistake with all that is worth saying of it; None if the API server does not mind after all."""
    decoded = (one.rule, one.message) in _DECODING or one.rule in _STRICT
    if one.route[:1] == ("status",) and not decoded:
        # Dropped before it is validated; only decoding must succeed.
        return None
    values = {**one.values, "parent": _name_of(one.route[:-1], view.kind)}
    if not one.route:
        values["field"] = view.kind
    one = one._replace(values=values)
    if one.rule != "unknown-field":
        if not decoded and isinstance(view, Workload) and _is_of_pods(one.route, view):
            one = one._replace(severity=one.severity or view.refused(None if minor is None else (1, minor)))
        return one
    if one.owner == apis.JSON_SCHEMA and not {"items", "additionalProperties"}.isdisjoint(one.route):
        # The server decodes what is below these by methods of their own, which drop what they do not know.
        one = one._replace(severity="warning")
    field = one.route[-1]
    assert isinstance(field, str)
    known = store.minors_with_field(one.owner, field)
    if known:
        if minor is None:
            return None
        message = "later" if known[0] > minor else "gone"
        since = known[0] if known[0] > minor else known[-1]
        return one._replace(message=message, values={**values, "since": f"1.{since}"})
    chain = _chain(root, one.route[:-1])
    # A default of the schema may be wrong itself.
    holder: Any = view.get(*one.route[:-1]) or ()
    names = [name for name in chain[-1].fields or () if name not in holder]
    near = nearest(field, names, 0.85)
    if near is None:
        place = _above(chain, one.route, field) or _below(chain[-1], one.route[:-1], field)
        if place:
            return one._replace(message="belongs", values={**values, "place": place})
        near = nearest(field, names)
    if near is None:
        return one
    return one._replace(message="nearest", values={**values, "near": near})


def _is_of_pods(route: Route, workload: Workload) -> bool:
    """Whether a mistake stands in what becomes the pods, or in a claim that is made for each of them."""
    inner = (*workload.pod_route, "spec")
    return route[: len(inner)] == inner or route[:2] == ("spec", "volumeClaimTemplates")


def _name_of(route: Route, kind: str) -> str:
    """How messages call a map: by its key, and by its whole route where that key is everywhere."""
    if not route:
        return kind
    return field_text(route) if route[-1] in ("spec", "metadata") else label(route)


def _chain(root: Node, route: Route) -> list[Node]:
    """The nodes from the object down a route."""
    chain = [root.complete()]
    for step in route:
        node = chain[-1]
        inner = node.items if isinstance(step, int) else (node.fields or {}).get(step, node.values)
        assert inner is not None
        chain.append(inner.complete())
    return chain


# Every object has them, so they belong nowhere in particular.
_EVERYWHERE = frozenset({"apiVersion", "kind", "status", "name", "value", "key", "type"})


def _above(chain: Sequence[Node], route: Route, field: str) -> str:
    """Where the nearest ancestor of a map has a field that the map itself has not."""
    if field in _EVERYWHERE:
        return ""
    for depth in range(len(chain) - 2, -1, -1):
        if field in (chain[depth].fields or ()):
            return _text((*route[:depth], field))
    return ""


def _below(node: Node, route: Route, field: str) -> str:
    """Where a map has a field in one of the maps that it holds, or one level further down."""
    if field in _EVERYWHERE:
        return ""
    level: list[tuple[Route, Node]] = [(route, node)]
    for _ in range(2):
        level = [inner for place, holder in level for inner in _inner(place, holder)]
        places = [place for place, holder in level if field in (holder.fields or ())]
        if places:
            # Of containers, initContainers and ephemeralContainers the first is meant.
            chosen = next((place for place in places if "containers" in place), places[0])
            return _text((*chosen, field)) if len(places) <= 3 else ""
    return ""


def _inner(route: Route, node: Node) -> Iterator[tuple[Route, Node]]:
    for name, field in (node.fields or {}).items():
        if name in ("status", "metadata"):
            continue
        inner = field.complete()
        steps: tuple[Step, ...] = (name,)
        if inner.items is not None:
            inner, steps = inner.items.complete(), (f"{name}[]",)
        if inner.fields:
            yield (*route, *steps), inner


def _text(route: Route) -> str:
    text = ""
    for step in route:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text[1:]


def is_same_mistake(conflict: Conflict, named: LocatedHit, restates: bool, located: LocatedHit) -> bool:
    """Whether a named rule's hit on the same object says what a conflict (and its located hit) says.

    `restates`: the rule restates the API server, so that it speaks of the same refusal when it stands next to it.
    """
    own, other = conflict.hit.at.route, named.routes[0]
    if own == other:
        return restates or SEVERITIES.index(named.severity) <= SEVERITIES.index(located.severity)
    if not restates:
        return False
    if conflict.rule == "unknown-field" and any(route[: len(own)] == own for route in named.routes):
        return True
    if conflict.rule == "wrong-type":
        return own == other[: len(own)] or other == own[:-1]
    return conflict.rule in ("missing-field", "exclusive-fields", "duplicate-item") and other == own[:-1]
