"""A new rule: its file with every field to fill in, and its check function."""

from __future__ import annotations

import ast
import keyword
import os
import re
import sys

from kubelint_ack import __version__, catalog, data

RULE = """\
code: {code}
severity: warning
reads: resource
kinds: [v1/Service]
presets: [strict]
since: {since}
title:
  en: What is wrong, in a few words
  zh: 用几个词说明问题
message:
  en: "Field '{{value}}' is wrong."
  zh: "字段“{{value}}”有误。"
why:
  en: What happens because of it.
  zh: 会造成什么后果。
fix:
  en: What to write instead.
  zh: 应该怎样写。
references:
  - https://kubernetes.io/docs/
examples:
  - bad: |
      apiVersion: v1
      kind: Service
      metadata:
        name: {name}  # <- finding
  - good: |
      apiVersion: v1
      kind: Service
      metadata:
        name: the-nearest-thing-that-is-right
"""

CHECK = '''

def {function}(view: View, profile: Profile) -> Iterator[Hit]:
    """Say what it looks for."""
    if view.name == "{name}":
        yield Hit(view.at("metadata", "name"), value=view.name)
'''

MODULE = '''"""Checks of the area {area}."""

from __future__ import annotations
'''

IMPORTS = (
    ("collections.abc", "Iterator"),
    ("kubelint_ack.profile", "Profile"),
    ("kubelint_ack.records", "Hit"),
    ("kubelint_ack.views", "View"),
)


def next_code(area: str) -> str:
    """The next free code of an area. Raises ValueError if its block is full."""
    low, high = catalog.AREAS[area]
    used = [int(rule.code[3:]) for rule in catalog.rules().values() if low <= int(rule.code[3:5]) <= high]
    # The first hundred of block 00 is for what the stages raise themselves.
    number = max([*used, low * 100 + (100 if low == 0 else 0)]) + 1
    if number // 100 > high:
        raise ValueError(f"the codes of area {area} are used up")
    return f"KLA{number:04d}"


def new_rule(root: str, name: str, area: str) -> list[str]:
    """Write a rule file and append its check below `root`, the source tree; the paths written.

    Raises ValueError if the name or area cannot be used, or the rule exists: then nothing is written.
    """
    if area not in catalog.AREAS:
        raise ValueError(f"unknown area {area!r}: one of {', '.join(catalog.AREAS)}")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(f"{name!r}: a rule's name is lower-case words joined by hyphens")
    function = name.replace("-", "_")
    if keyword.iskeyword(function):
        raise ValueError(f"{name!r} is a keyword of Python: its check cannot have this name")
    path = os.path.join(root, "rules", area, f"{name}.yaml")
    if name in catalog.rules() or os.path.exists(path):
        raise ValueError(f"the rule {name} exists")
    module = os.path.join(root, "kubelint_ack", "checks", area)
    module = os.path.join(module, "__init__.py") if os.path.isdir(module) else f"{module}.py"
    text = MODULE.format(area=area)
    if os.path.exists(module):
        with open(module, encoding="utf-8") as file:
            text = file.read()
    if function in _names(text, module):
        raise ValueError(f"{os.path.relpath(module, root)} uses the name {function} already")
    for source, wanted in IMPORTS:
        text = with_import(text, source, wanted)
    code = next_code(area)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "x", encoding="utf-8", newline="\n") as file:
        file.write(RULE.format(code=code, name=name, since=__version__))
    with open(module, "w", encoding="utf-8", newline="\n") as file:
        file.write(text.rstrip() + "\n" + CHECK.format(function=function, name=name))
    return [path, module]


def _names(text: str, module: str) -> set[str]:
    """What a module's top level binds or uses. Raises ValueError if it is no Python."""
    found: set[str] = set()
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ValueError(f"{module}:{error.lineno}: {error.msg}; repair it first") from None
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(alias.asname or alias.name for alias in node.names)
        else:
            found.update(name.id for name in ast.walk(node) if isinstance(name, ast.Name))
    return found


def with_import(text: str, source: str, name: str) -> str:
    """A module's text with `from source import name`, imports in the order that ruff wants."""
    lines = text.rstrip().split("\n")
    imports = [node for node in ast.parse(text).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {name}
    for node in imports:
        if isinstance(node, ast.ImportFrom) and node.module == source:
            present = {ast.unparse(alias) for alias in node.names}
            if name in present:
                return text
            names |= present
            del lines[node.lineno - 1 : node.end_lineno]
            lines.insert(node.lineno - 1, _import(source, names))
            return "\n".join(lines) + "\n"
    own = source.startswith("kubelint_ack")
    line = _import(source, names)
    after = None
    for node in imports:
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if module == "__future__" or module.startswith("kubelint_ack") is not own:
            continue
        if module > source:
            lines.insert(node.lineno - 1, line)
            return "\n".join(lines) + "\n"
        after = node.end_lineno
    if after is not None:
        lines.insert(after, line)
    else:
        # The first of its section: below the last import there is, or above the project's own.
        section = [node for node in imports if own or not _is_own(node)]
        lines[(section[-1].end_lineno or 0) if section else 0 : 0] = ["", line]
    return "\n".join(lines) + "\n"


def _is_own(node: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kubelint_ack")


def _import(source: str, names: set[str]) -> str:
    ordered = sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name.lower()))
    line = f"from {source} import {', '.join(ordered)}"
    if len(line) <= 120:
        return line
    return "\n".join([f"from {source} import (", *(f"    {name}," for name in ordered), ")"])


if __name__ == "__main__":
    try:
        if not data.is_checkout():
            raise ValueError("rules are added to a checkout of the source, not to an installed package")
        if len(sys.argv) != 3 or not all(sys.argv[1:]):
            raise ValueError("usage: make new-rule NAME=… AREA=…")
        checkout = os.path.dirname(data.data_path("rules"))
        for written in new_rule(checkout, sys.argv[1], sys.argv[2]):
            print(os.path.relpath(written))
        print("Fill in the texts, write the check, then: make test; make rule-docs")
    except ValueError as error:
        sys.exit(f"new-rule: {error}")
