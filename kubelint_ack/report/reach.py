"""Who may reach whom: lines for people, JSON for programs, a Mermaid graph for documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kubelint_ack.facts import PolicyFact
from kubelint_ack.language import Language
from kubelint_ack.ports import PROTOCOLS, Ports
from kubelint_ack.queries.flows import PRIVATE, Controller, Flow, Outside, Party
from kubelint_ack.queries.reach import End, Side
from kubelint_ack.report.display import visible, wrap
from kubelint_ack.words import say

_COLUMNS = 80


class Answer(NamedTuple):
    """What is shown of one target."""

    target: str
    """Its name."""
    flows: Sequence[Flow]
    listed: Sequence[End]
    """Workloads that no policy selects."""
    hidden: bool
    """Whether policies may be where nobody can look, or of kinds that are not read."""
    enforced: bool | None
    policies: int


# --- Text


def reach_text(answers: Sequence[Answer], language: Language, *, every: bool) -> Iterator[str]:
    """The connections by source; without `every`, those that are denied are only counted.

    Then targets without policies are left out, unless none has any.
    """
    restricted = [one for one in answers if one.policies]
    shown = answers if every or not restricted else restricted
    for number, answer in enumerate(shown):
        if number:
            yield "\n"
        if len(answers) > 1:
            yield from (f"{line}\n" for line in wrap(f"@{visible(answer.target)}", _COLUMNS))
        for line in _lines(answer, language, every):
            yield visible(line).rstrip() + "\n"


def _lines(answer: Answer, language: Language, every: bool) -> Iterator[str]:
    for key, applies in (
        ("reach.not-enforced", answer.enforced is False),
        ("reach.no-policies", not answer.policies),
        ("reach.hidden", answer.hidden),
    ):
        if applies:
            yield from wrap(say(language, key), _COLUMNS)
    flows = [one for one in answer.flows if every or not _between_open(one)]
    shown = [one for one in flows if every or one.verdict != "denied"]
    by_source: dict[object, list[Flow]] = {}
    for flow in shown:
        by_source.setdefault(_key(flow.source), []).append(flow)
    for group in by_source.values():
        yield from wrap(_title(group[0].source, language), _COLUMNS, "  ")
        alike: dict[tuple[str, str], list[str]] = {}
        for flow in group:
            alike.setdefault((_ports(flow, language), _why(flow, language)), []).append(_name(flow.target, language))
        for (ports, why), targets in alike.items():
            for line in wrap(f"{ports}: {', '.join(targets)}", _COLUMNS - 2, "  "):
                yield "  " + line
            for line in wrap(why, _COLUMNS - 6):
                yield "      " + line
    denied = len(flows) - len(shown)
    if denied:
        yield from wrap(say(language, "reach.denied-count", count=denied), _COLUMNS)
    if not every and answer.listed and answer.policies:
        names = ", ".join(end.label for end in answer.listed)
        yield from wrap(say(language, "reach.open-ends", names=names), _COLUMNS, "  ")


def _key(party: Party) -> object:
    """What tells parties apart."""
    return party.blocks if isinstance(party, Outside) else id(party)


def _between_open(flow: Flow) -> bool:
    """Whether no policy restricts either end."""
    return not (flow.connection.egress.policies or flow.connection.ingress.policies)


def _name(party: Party, language: Language) -> str:
    if isinstance(party, End):
        return party.label
    if isinstance(party, Controller):
        return say(language, "reach.ingress-controller")
    cidrs, rest = party.cidrs, party.rest
    if not rest:
        return say(language, "reach.outside")
    if rest == list(PRIVATE):
        return say(language, "reach.internet")
    if len(rest) < len(cidrs):
        return say(language, "reach.outside-except", blocks=_few(rest, language))
    return _few(cidrs, language)


def _few(cidrs: Sequence[str], language: Language) -> str:
    if len(cidrs) > 6:
        return say(language, "reach.and-more", blocks=", ".join(cidrs[:5]), count=len(cidrs) - 5)
    return ", ".join(cidrs)


def _title(party: Party, language: Language) -> str:
    name = _name(party, language)
    return f"{name} ({party.kind})" if isinstance(party, End) else name


def _port_text(ports: Ports, language: Language) -> str:
    if ports.everything:
        return say(language, "reach.everything")
    return ", ".join(ports.texts(say(language, "reach.every-port")))


def _ports(flow: Flow, language: Language) -> str:
    if flow.verdict == "denied":
        return say(language, "reach.nothing")
    if flow.verdict == "allowed":
        return _port_text(flow.sure, language)
    perhaps = say(language, "reach.perhaps", ports=_port_text(flow.perhaps, language))
    return perhaps if flow.sure.empty else f"{_port_text(flow.sure, language)}; {perhaps}"


def _why(flow: Flow, language: Language) -> str:
    egress, ingress = flow.connection.egress, flow.connection.ingress
    parts = []
    if flow.verdict == "denied":
        for name, side in (("egress", egress), ("ingress", ingress)):
            if side.perhaps.empty:
                parts.append(say(language, f"reach.denied-{name}", policies=_policies(side.policies)))
        if not parts:
            values = {"out": _policies(egress.policies), "into": _policies(ingress.policies)}
            parts.append(say(language, "reach.no-common-port", **values))
    else:
        for name, side in (("egress", egress), ("ingress", ingress)):
            if side.policies:
                parts.append(say(language, f"reach.allowed-{name}", rules=_rules(side)))
    if flow.doubt:
        parts.append(say(language, f"reach.doubt-{flow.doubt}"))
    return say(language, "reach.between").join(parts) or say(language, "reach.unrestricted")


def _policies(policies: Sequence[PolicyFact]) -> str:
    return ", ".join(dict.fromkeys(one.name or "?" for one in policies))


def _rules(side: Side) -> str:
    return (
        ", ".join(dict.fromkeys(f"{one.policy.name or '?'} {_rule(one.rule.at.route)}" for one in side.grants)) or "?"
    )


def _rule(route: Sequence[str | int]) -> str:
    return f"{route[1]}[{route[2]}]" if len(route) > 2 else str(route[1])


# --- JSON


def reach_data(answers: Sequence[Answer]) -> dict[str, Any]:
    """What `--format json` prints: `schemas/reach.schema.json`."""
    return {
        "targets": [
            {
                "name": answer.target,
                "enforced": answer.enforced,
                "hiddenPolicies": answer.hidden,
                "policies": answer.policies,
                "connections": [_connection(flow) for flow in answer.flows],
            }
            for answer in answers
        ]
    }


def _connection(flow: Flow) -> dict[str, Any]:
    return {
        "from": _party(flow.source),
        "to": _party(flow.target),
        "verdict": flow.verdict,
        "ports": _port_data(flow.sure),
        "perhaps": _port_data(flow.perhaps),
        "doubt": flow.doubt or None,
        "egress": _side(flow.connection.egress),
        "ingress": _side(flow.connection.ingress),
    }


def _party(party: Party) -> dict[str, Any]:
    if isinstance(party, End):
        return {"kind": party.kind, "namespace": party.namespace, "name": party.name}
    if isinstance(party, Outside):
        return {"kind": "Outside", "cidrs": party.cidrs}
    return {"kind": "IngressController"}


def _port_data(ports: Ports) -> list[dict[str, Any]]:
    return [
        {"protocol": protocol, "from": first, "to": last}
        for protocol, ranges in zip(PROTOCOLS, ports)
        for first, last in ranges
    ]


def _side(side: Side) -> dict[str, Any]:
    return {
        "isolated": side.isolated,
        "policies": [_policy(one) for one in side.policies],
        "allowedBy": [{**_policy(one.policy), "rule": _rule(one.rule.at.route)} for one in side.grants],
    }


def _policy(policy: PolicyFact) -> dict[str, Any]:
    return {"namespace": policy.namespace, "name": policy.name, "file": policy.resource.path}


# --- Mermaid


def reach_mermaid(answers: Sequence[Answer], language: Language) -> Iterator[str]:
    """A flow chart of what is open; dotted where that is not certain. Pods that no policy selects are left apart."""
    yield "flowchart LR\n"
    for number, answer in enumerate(answers):
        flows = [one for one in answer.flows if one.verdict != "denied" and not _between_open(one)]
        parties = {_key(one): one for flow in flows for one in (flow.source, flow.target)}
        parties.update((_key(end), end) for end in answer.listed)
        ids = {key: f"n{number}_{count}" for count, key in enumerate(parties)}
        if len(answers) > 1:
            yield f'  subgraph t{number} ["{_quoted(answer.target)}"]\n'
        spaces = dict.fromkeys(party.namespace or "" for party in parties.values() if isinstance(party, End))
        for index, space in enumerate(spaces):
            if space:
                yield f'  subgraph s{number}_{index} ["{_quoted(space)}"]\n'
            for key, party in parties.items():
                if isinstance(party, End) and (party.namespace or "") == space:
                    yield f'    {ids[key]}["{_quoted(party.name)}"]\n'
            if space:
                yield "  end\n"
        for key, party in parties.items():
            if not isinstance(party, End):
                yield f'  {ids[key]}(["{_quoted(_name(party, language))}"])\n'
        for flow in flows:
            arrow = "-->" if flow.verdict == "allowed" else "-.->"
            label = _quoted(_ports(flow, language))
            yield f'  {ids[_key(flow.source)]} {arrow}|"{label}"| {ids[_key(flow.target)]}\n'
        if len(answers) > 1:
            yield "  end\n"


def _quoted(text: str) -> str:
    """A text for a quoted label: https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters"""
    return visible(text).replace("#", "#35;").replace('"', "#quot;")
