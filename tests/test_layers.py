"""Modules import from lower layers only, and outside libraries stay in the rooms that need them."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "kubelint_ack"

LAYERS: list[set[str]] = [
    # Values, files, and documents with the places of everything in them
    {"__init__", "records", "language", "data", "words"},
    {"names"},
    {"annotations", "cron", "events", "files", "images", "jobs", "kinds", "ports", "re2", "resource"}
    | {"scalars", "values"},
    {"crd_schema", "formats", "ignore", "paths"},
    {"sources"},
    {"documents"},
    {"tree"},
    {"decode", "validation"},
    # What is read in them and declared, and the API of Kubernetes
    {"catalog", "directives", "dump", "origins", "views"},
    {"ack", "amounts", "downward", "profile", "schema", "selectors", "store"},
    {"constraints", "custom_schema", "lifecycle"},
    {"cel"},
    {"apis", "crds", "definitions"},
    {"conformance"},
    {"apiserver", "config", "discover", "facts", "starter"},
    {"configfile"},
    # What is known of all files together
    {"existence", "knowledge"},
    {"extract", "project"},
    {"balancer", "queries"},
    {"kustomize"},
    {"units"},
    {"checks"},
    # The run
    {"redaction", "suppress"},
    {"scan"},
    {"cache", "link"},
    {"pool"},
    {"targets"},
    {"engine"},
    # What people see
    {"report"},
    {"docs", "explain", "scaffold"},
    {"present", "terminal"},
    {"cli"},
    {"__main__"},
]
"""From the lowest to the highest; those of one layer do not import each other."""

OUTSIDE = {
    "click": {"cli", "docs", "report"},
    "sarif_om": {"report"},
    "jsonschema": {"validation"},
    "ruamel": {"discover", "starter"},
    "msgspec": {"cache"},
    "cel_expr_python": {"cel"},
    "pathspec": {"ignore"},
    "yaml": {"events", "tree", "decode", "scalars", "documents", "catalog"},
}
"""Which rooms may import a library."""

HEAVY = {
    "cel_expr_python",
    "jsonschema",
    "sarif_om",
    "ruamel",
    "msgspec",
    "pathspec",
    "multiprocessing",
    "importlib.metadata",
    "rich",
}
"""Imported where they are used, never with a module."""


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _imports(path: Path) -> list[tuple[str, bool]]:
    """(module, whether it is imported with the module and not inside a function or for types) of every import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef))
        or (isinstance(outer, ast.If) and ast.unparse(outer.test) == "TYPE_CHECKING")
        for node in ast.walk(outer)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in inner) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "kubelint_ack":
                found += [(f"kubelint_ack.{alias.name}", id(node) not in inner) for alias in node.names]
            else:
                found.append((node.module, id(node) not in inner))
    return found


def test_every_module_is_in_the_table() -> None:
    rooms = {_room(path) for path in ROOT.rglob("*.py")}
    assert rooms == set().union(*LAYERS) & rooms | {"__init__"}
    assert rooms - set().union(*LAYERS) == set()


def test_imports_go_down() -> None:
    level = {room: number for number, layer in enumerate(LAYERS) for room in layer}
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        room = _room(path)
        for module, _ in _imports(path):
            parts = module.split(".")
            if parts[0] != "kubelint_ack" or len(parts) < 2 or parts[1] in (room, "__version__"):
                continue
            if level[parts[1]] >= level[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_libraries_stay_in_their_rooms() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        for module, _ in _imports(path):
            library = module.split(".")[0]
            if library in OUTSIDE and _room(path) not in OUTSIDE[library]:
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).as_posix() == "report/sarif.py":
            continue
        for module, with_module in _imports(path):
            if with_module and (module in HEAVY or module.split(".")[0] in HEAVY):
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []
