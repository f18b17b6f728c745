"""Build hook: the index and texts that an installed program reads in place of parsing every rule file."""

import os
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class IndexBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds `_data/index.json` and `_data/texts.<language>.json` to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files in a temporary directory, so that a checkout never holds a stale copy."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from kubelint_ack.catalog import build_index
        finally:
            sys.path.remove(self.root)
        directory = tempfile.mkdtemp(prefix="kubelint-ack-index-")
        for name, content in build_index().items():
            path = os.path.join(directory, name)
            with open(path, "wb") as file:
                file.write(content)
            build_data["force_include"][path] = f"kubelint_ack/_data/{name}"
