"""A new rule: its file with every field to fill in, and its check function."""

from __future__ import annotations

import os
import re
import sys

from kubelint_ack import catalog

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

from collections.abc import Iterator

from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit
from kubelint_ack.views import View
'''


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
    """Write a rule file and append its check below `root`; the paths written.

    Raises ValueError if the name or area cannot be used, or the rule exists.
    """
    if area not in catalog.AREAS:
        raise ValueError(f"unknown area {area!r}: one of {', '.join(catalog.AREAS)}")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(f"{name!r}: a rule's name is lower-case words joined by hyphens")
    path = os.path.join(root, "rules", area, f"{name}.yaml")
    if name in catalog.rules() or os.path.exists(path):
        raise ValueError(f"the rule {name} exists")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(RULE.format(code=next_code(area), name=name, since="0.1.0"))
    module = os.path.join(root, "kubelint_ack", "checks", f"{area}.py")
    text = ""
    if os.path.exists(module):
        with open(module, encoding="utf-8") as file:
            text = file.read()
    text = (text or MODULE.format(area=area)).rstrip() + "\n"
    for line in ("from kubelint_ack.profile import Profile", "from kubelint_ack.records import Hit"):
        if line not in text and not re.search(
            rf"^{line.rpartition(' ')[0]} .*\b{line.rpartition(' ')[2]}\b", text, re.M
        ):
            text = text.replace("\nfrom kubelint_ack", f"\n{line}\nfrom kubelint_ack", 1)
    if not re.search(r"^from kubelint_ack\.views import .*\bView\b", text, re.M):
        text = text.replace("\nfrom kubelint_ack", "\nfrom kubelint_ack.views import View\nfrom kubelint_ack", 1)
    with open(module, "w", encoding="utf-8") as file:
        file.write(text + CHECK.format(function=name.replace("-", "_"), name=name))
    return [path, module]


if __name__ == "__main__":
    try:
        if len(sys.argv) != 3:
            raise ValueError("usage: make new-rule NAME=… AREA=…")
        for written in new_rule(os.getcwd(), sys.argv[1], sys.argv[2]):
            print(written)
        print("Fill in the texts, write the check, then: make test; make rule-docs")
    except ValueError as error:
        sys.exit(f"new-rule: {error}")
