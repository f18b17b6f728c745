"""Built-in kinds: the compiled schema of each, for each Kubernetes version, made when an object of it is met."""

from __future__ import annotations

from functools import cache

from kubelint_ack import store
from kubelint_ack.constraints import constrain, format_check
from kubelint_ack.schema import Node, compile_schema

JSON_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_SCHEMA_OR_LIST, _SCHEMA_OR_BOOLEAN = f"{JSON_SCHEMA}OrArray", f"{JSON_SCHEMA}OrBool"
_INSTEAD = {_SCHEMA_OR_LIST: JSON_SCHEMA, _SCHEMA_OR_BOOLEAN: JSON_SCHEMA}
"""Definitions without a type, by what the API server wants in their place: it decodes a list, but never accepts it."""
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def served_in(api_version: str, kind: str, minor: int | None) -> int | None:
    """The minor version whose schemas judge a kind: the one given, else the newest; None: it is not served there.

    Versions before the oldest that is known are taken for that, newer ones for the newest. Without a version nothing
    is said of what the newest no longer has: it has to be rewritten anyway.
    """
    history = store.kind_history(api_version, kind)
    if not history:
        return None
    oldest, newest = store.minors()
    wanted = newest if minor is None else min(max(minor, oldest), newest)
    return wanted if any(one.first <= wanted <= one.last for one in history) else None


@cache
def kind_node(api_version: str, kind: str, minor: int | None) -> Node | None:
    """The schema of a built-in kind in a minor version (None: not declared); None if it is not served."""
    served = served_in(api_version, kind, minor)
    if served is None:
        return None
    name = next(one.text for one in store.kind_history(api_version, kind) if one.first <= served <= one.last)
    return definition(name, served, minor is not None)


@cache
def definition(name: str, minor: int, declared: bool) -> Node:
    """The schema of a definition; completed when a value of it is met.

    `declared`: the minor version is the cluster's, so that constraints which came or went with it are known to hold.
    """
    node = Node("pending")
    plain = bool if name == _SCHEMA_OR_BOOLEAN else None
    name = _INSTEAD.get(name, name)
    node.name, node.plain = name, plain

    def resolve(node: Node) -> None:
        schema = store.definition(name, minor)
        assert schema is not None, name
        # A scalar's definition becomes the scalar.
        made = compile_schema(schema, lambda other: definition(other, minor, declared), format_check)
        for slot in ("type", "fields", "values", "items", "low", "high", "checks"):
            setattr(node, slot, getattr(made, slot))
        if name == OBJECT_META and node.fields is not None:
            # Written by the server alone, which reads it back as it is.
            node.fields["managedFields"] = Node("any")
        constrain(node, name, minor if declared else None)
        node.plain = plain or node.plain

    node.resolve = resolve
    return node
