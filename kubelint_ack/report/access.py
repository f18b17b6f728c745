"""The ways to Services: a table for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kubelint_ack.language import Language
from kubelint_ack.queries.access import CLIENTS, Access, Cell, Row
from kubelint_ack.report.display import visible, width, wrap
from kubelint_ack.words import say

_COLUMNS = 80
_FIRST = 23
"""Cells of the column that names the paths; with its indent."""
_OTHER = 11


def access_text(found: Sequence[tuple[str, Access]], language: Language) -> Iterator[str]:
    """One block for each Service, with the target that it belongs to where there are several; at most 80 cells wide."""
    for number, (target, one) in enumerate(found):
        if number:
            yield "\n"
        for line in _block(target, one, language):
            yield visible(line).rstrip() + "\n"


def _block(target: str, one: Access, language: Language) -> Iterator[str]:
    yield _title(target, one)
    details = _details(one, language)
    if details:
        yield from _indented("  ", ", ".join(details))
    yield " " * _FIRST + "".join(_padded(say(language, f"access.client.{client}"), _OTHER) for client in CLIENTS)
    notes: dict[str, int] = {}
    for row in _shown(one.rows):
        line = _padded("  " + say(language, f"access.path.{row.path}"), _FIRST)
        for cell in row.cells:
            number = notes.setdefault(_note(cell, language), len(notes) + 1)
            line += _padded(f"{say(language, f'access.verdict.{cell.verdict}')} {number}", _OTHER)
        yield line
        if row.path != "node-port-other" and row.addresses and row.cells[0].verdict != "none":
            yield from _indented("    ", " ".join(row.addresses))
    for note, number in notes.items():
        first, *others = _indented("      ", note)
        yield f"  {number:>2}{first[4:]}"
        yield from others


def _indented(indent: str, text: str) -> Iterator[str]:
    for line in wrap(text, _COLUMNS - len(indent)):
        yield indent + line


def _shown(rows: Sequence[Row]) -> Iterator[Row]:
    """Nodes with and without a backend are one row where they answer alike."""
    for number, row in enumerate(rows):
        if row.path != "node-port-other" or row.cells != rows[number - 1].cells:
            yield row


def _padded(text: str, cells: int) -> str:
    return text + " " * max(cells - width(text), 1)


def _title(target: str, one: Access) -> str:
    service = one.service
    kind = service.type or "?"
    if one.balancer:
        kind += f" ({one.balancer.upper()}, {one.address_type or '?'})"
    elif service.headless:
        kind += " (headless)"
    return f"{_name(one)}  {kind}" + (f"  @{target}" if target else "")


def _details(one: Access, language: Language) -> list[str]:
    """What else decides: policies, what the load balancer forwards to, the pods."""
    service, found = one.service, []
    if service.type in ("NodePort", "LoadBalancer"):
        found.append(f"externalTrafficPolicy {service.traffic_policy or '?'}")
    if one.balancer:
        found.append(f"backend-type {one.backend_type or '?'}")
    if one.backends:
        names = ", ".join(f"{backend.kind}/{backend.resource.id.name}" for backend in one.backends)
        found.append(say(language, "access.backends", names=names))
    return found


def _name(one: Access) -> str:
    name = one.service.name or "?"
    return f"{one.namespace}/{name}" if one.namespace else name


def _reason(cell: Cell, language: Language) -> str:
    return say(language, f"access.reason.{cell.reason}", **cell.values)


def _note(cell: Cell, language: Language) -> str:
    text = _reason(cell, language)
    if not cell.confirmed:
        text = say(language, "access.unconfirmed", reason=text)
    return say(language, "access.hangs-on", reason=text, on=", ".join(cell.on)) if cell.on else text


def access_data(found: Sequence[tuple[str, Access]], language: Language) -> dict[str, Any]:
    """What `--format json` prints (`schemas/access.schema.json`); `code` names a reason in every language."""
    return {
        "services": [
            {
                "namespace": one.namespace,
                "name": one.service.name,
                "target": target,
                "file": one.service.resource.path,
                "type": one.service.type,
                "loadBalancer": one.balancer,
                "addressType": one.address_type,
                "backendType": one.backend_type,
                "externalTrafficPolicy": one.service.traffic_policy,
                "internalTrafficPolicy": one.service.internal_traffic_policy,
                "backends": [
                    {"kind": backend.kind, "namespace": backend.namespace, "name": backend.resource.id.name}
                    for backend in one.backends
                ],
                "paths": [
                    {
                        "path": row.path,
                        "addresses": list(row.addresses),
                        "clients": {
                            client: {
                                "verdict": cell.verdict,
                                "code": cell.reason,
                                "reason": _reason(cell, language),
                                "dependsOn": list(cell.on),
                                "confirmed": cell.confirmed,
                            }
                            for client, cell in zip(CLIENTS, row.cells)
                        },
                    }
                    for row in one.rows
                ],
            }
            for target, one in found
        ]
    }
