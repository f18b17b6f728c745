"""Write the API schemas of every Kubernetes minor version from 1.20 to `schemas/kubernetes/`.

usage: build_schemas.py

They come from two releases of the PyPI package kubernetes-validate (Apache-2.0, the package and the data), which are
downloaded into a temporary folder. `kubelint_ack/store.py` reads what this writes:

- `definitions.txt`: `name TAB first-last TAB JSON`, a definition, the minor versions in which it reads so, and its
  schema without what no validation needs;
- `kinds.txt`: `apiVersion/kind TAB first-last TAB name`, a kind, the minor versions that have it, its definition.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
TARGET = ROOT / "schemas" / "kubernetes"
OLDEST = 20

RELEASES = (
    ("kubernetes-validate==1.24.1", ("--no-binary", ":all:"), range(OLDEST, 25)),
    ("kubernetes-validate==1.37.0", ("--only-binary", ":all:"), range(25, 38)),
)
"""A release of the package, the form of it that has the data, and the minor versions to take from it."""

_DEFINITIONS = re.compile(r"kubernetes-json-schema/v1\.(\d+)\.0-local-strict/_definitions\.json$")

# `required` is kept to be compared with: what the API server insists on is in `schemas/kubernetes/constraints/`.
_KEPT = ("type", "format", "enum", "properties", "required", "items", "additionalProperties", "$ref")

# Scalars that the API server decodes in its own way, by definition.
_SCALARS = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": "int-or-string"},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "quantity"},
    # Any JSON: decoded by the object's own code, and not strictly.
    "io.k8s.apimachinery.pkg.runtime.RawExtension": {},
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": {},
}

# Kinds that are parameters and answers of calls, known in every group.
_CALLS = re.compile(
    r"\.(DeleteOptions|WatchEvent|Status|ListOptions|APIResourceList|APIGroup|APIGroupList|APIVersions)$"
)


def archives(folder: Path) -> Iterator[tuple[Path, range]]:
    """Download the releases; each archive with the minor versions to take from it."""
    for number, (release, options, minors) in enumerate(RELEASES):
        place = folder / str(number)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(place), *options]
        subprocess.run([*command, release], check=True)
        (archive,) = place.iterdir()
        yield archive, minors


def members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of definitions in a wheel or sdist."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if _DEFINITIONS.search(name):
                    yield name, wheel.read(name)
        return
    with tarfile.open(archive) as sdist:
        for member in sdist:
            file = sdist.extractfile(member) if _DEFINITIONS.search(member.name) else None
            if file is not None:
                yield member.name, io.BufferedReader(file).read()


def plain(schema: Any) -> Any:
    """A schema as the store keeps it: only what the validator reads, in one form for both releases."""
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key in _KEPT:
        if key not in schema:
            continue
        value = schema[key]
        if key == "type" and isinstance(value, list):
            value = next(one for one in value if one != "null")
        elif key == "$ref":
            value = value.rpartition("/")[2]
        elif key == "properties":
            value = {name: plain(one) for name, one in sorted(value.items())}
        elif key in ("required", "enum"):
            value = sorted(value)
        elif key in ("items", "additionalProperties"):
            value = plain(value)
        found[key] = value
    # Both releases say of every object that it is closed; one with properties is, and no other.
    if found.get("additionalProperties") is False:
        del found["additionalProperties"]
    return found


def definition(name: str, schema: dict[str, Any]) -> str:
    """The text of one definition as the store keeps it."""
    made: dict[str, Any] = _SCALARS[name] if name in _SCALARS else plain(schema)
    if _has_kinds(name, schema):
        for key in ("apiVersion", "kind"):
            made["properties"][key].pop("enum", None)
    return json.dumps(made, separators=(",", ":"), sort_keys=True)


def _has_kinds(name: str, schema: dict[str, Any]) -> bool:
    return bool(schema.get("x-kubernetes-group-version-kind")) and not _CALLS.search(name)


def main() -> None:
    """Download, cut down, and write."""
    definitions: dict[str, dict[int, str]] = {}
    kinds: dict[str, dict[int, str]] = {}
    with tempfile.TemporaryDirectory(prefix="kubelint-ack-schemas-") as folder:
        for archive, minors in archives(Path(folder)):
            for path, content in members(archive):
                match = _DEFINITIONS.search(path)
                assert match
                minor = int(match[1])
                if minor not in minors:
                    continue
                document = json.loads(content)
                for name, schema in (document.get("$defs") or document["definitions"]).items():
                    definitions.setdefault(name, {})[minor] = definition(name, schema)
                    if _has_kinds(name, schema):
                        for one in schema["x-kubernetes-group-version-kind"]:
                            kind = f"{one['group']}/{one['version']}/{one['kind']}".lstrip("/")
                            kinds.setdefault(kind, {})[minor] = name
    found = {minor for one in definitions.values() for minor in one}
    wanted = set(range(OLDEST, RELEASES[-1][2].stop))
    if found != wanted:
        raise SystemExit(f"no definitions of these minor versions: {sorted(wanted - found)}")
    write("definitions.txt", definitions)
    write("kinds.txt", kinds)


def write(name: str, texts: dict[str, dict[int, str]]) -> None:
    """Write a file of the store: for each key a line for each run of minor versions in which its text is the same."""
    lines = [line for key in sorted(texts) for line in history(key, texts[key])]
    content = "".join(f"{line}\n" for line in lines).encode()
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / name).write_bytes(content)
    print(f"{name}: {len(lines)} lines, {len(content):,} bytes")


def history(key: str, texts: dict[int, str]) -> Iterator[str]:
    """The lines of one key."""
    minors = sorted(texts)
    start = minors[0]
    for minor, following in zip(minors, [*minors[1:], -1]):
        if following != minor + 1 or texts[following] != texts[minor]:
            yield f"{key}\t{start}-{minor}\t{texts[minor]}"
            start = following


if __name__ == "__main__":
    main()
