"""Build hook: what an installed program reads in place of the source tree, under `kubelint_ack/_data/`."""

import os
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class IndexBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds rules, schemas, and the index and texts made from the rules to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to add. An editable install gets none: it reads the source tree."""
        if version == "editable":
            return
        for folder in ("rules", "schemas"):
            build_data["force_include"][os.path.join(self.root, folder)] = f"kubelint_ack/_data/{folder}"
        sys.path.insert(0, self.root)
        try:
            from kubelint_ack.catalog import build_index
        finally:
            sys.path.remove(self.root)
        # Not in the source tree, so that it never holds a stale copy; removed with this object if the build fails.
        self._made = tempfile.TemporaryDirectory(prefix="kubelint-ack-index-")
        for name, content in build_index().items():
            path = os.path.join(self._made.name, name)
            with open(path, "wb") as file:
                file.write(content)
            build_data["force_include"][path] = f"kubelint_ack/_data/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what `initialize` made: the wheel holds it now."""
        if version != "editable":
            self._made.cleanup()
