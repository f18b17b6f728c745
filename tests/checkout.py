"""Copies of the source tree, commands run in a clean environment, and wheels to install without a network."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN_TIME: list[str] = PROJECT["project"]["dependencies"]
BUILD: list[str] = PROJECT["build-system"]["requires"]

_LEFT_OUT = re.compile(r"\.git|\.venv.*|\.cache|dist|__pycache__|\.\w+_cache|\.hypothesis|node_modules")
_UNSET = re.compile(r"(KUBELINT_ACK|GIT|PRE_COMMIT|PYTEST|GITHUB|PYTHON)_?.*|LANG|LANGUAGE|LC_.*|VIRTUAL_ENV|CI|SKIP")


def copy_checkout(target: Path) -> Path:
    """The committed and working files of this checkout, without environments and caches; returns `target`."""

    def left_out(_: str, names: list[str]) -> set[str]:
        return {name for name in names if _LEFT_OUT.fullmatch(name)}

    shutil.copytree(ROOT, target, ignore=left_out)
    return target


def environment(**more: str) -> dict[str, str]:
    """The variables of a command that nobody has configured: this run's own are left out."""
    kept = {name: value for name, value in os.environ.items() if not _UNSET.fullmatch(name)}
    return {**kept, "LC_ALL": "C.UTF-8", **more}


def run(
    command: Sequence[str | os.PathLike[str]], cwd: Path, *, env: Mapping[str, str] | None = None, code: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, which must have this exit code (None: any)."""
    done = subprocess.run(
        command, cwd=cwd, env=env or environment(), capture_output=True, encoding="utf-8", check=False, timeout=300
    )
    if code is not None:
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def commit(folder: Path, message: str = "A change") -> str:
    """Commit all files of a folder, which becomes a repository if it is none; the commit's hash."""
    if not (folder / ".git").exists():
        run(["git", "init", "--quiet", "--initial-branch=main"], folder)
        for key, value in {"user.name": "Test", "user.email": "test@example.com", "commit.gpgsign": "false"}.items():
            run(["git", "config", key, value], folder)
    run(["git", "add", "--all"], folder)
    run(["git", "commit", "--quiet", "--no-verify", "--message", message], folder)
    return run(["git", "rev-parse", "HEAD"], folder).stdout.strip()


def empty_environment(folder: Path, requirements: Iterable[str]) -> Path:
    """A new virtual environment that holds these requirements and what they require, and not even pip; its `bin`.

    They are links to the distributions of the running environment, so that no network is needed.
    """
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder.parent)
    python = folder / "bin" / "python"
    site = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).stdout.strip())
    for name in _closure(requirements):
        distribution = importlib.metadata.distribution(name)
        for entry in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (site / entry).exists():
                (site / entry).symlink_to(Path(str(distribution.locate_file(entry))).resolve())
    return folder / "bin"


def _closure(requirements: Iterable[str]) -> set[str]:
    waiting = [Requirement(text) for text in requirements]
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        if one.name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(one.name)
        waiting += [Requirement(text) for text in importlib.metadata.requires(one.name) or ()]
    return found


def install(bin: Path, *what: str | os.PathLike[str]) -> None:
    """Install into a virtual environment, with this environment's pip, nothing but what is named."""
    pip = [sys.executable, "-m", "pip", "--python", str(bin / "python")]
    run([*pip, "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", *what], bin)


def wheelhouse() -> Path:
    """A folder of wheels of all that a build and a run need, kept in `.cache` until the requirements change.

    Raises OSError if it is not there and cannot be filled.
    """
    wanted = [*BUILD, *RUN_TIME]
    key = hashlib.sha256(repr((wanted, sys.version_info[:2], sysconfig.get_platform())).encode()).hexdigest()[:16]
    target = ROOT / ".cache" / "wheelhouse" / key
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        filled = Path(folder, "wheels")
        # The variables of the caller: they may name an index.
        done = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--retries", "1", "--wheel-dir", filled, *wanted],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OSError(done.stderr.strip().rpartition("\n")[2])
        if not target.is_dir():  # another process may have been faster
            filled.rename(target)
    return target
