"""Measure speed: start-up, one file, and a repository of 10,000 documents. Ratios against references of the same run.

usage: bench.py [--documents N] [--corpus DIR] [--pairs N]

Whole processes run the program as installed (from a wheel made here), stages run in this process. Without --corpus the
repository is made from examples/shop; with it, from the manifests below DIR. References: P, the wall time of
`python -c pass`; R, the CPU time in which libyaml alone makes and drops all events of the same bytes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

MANIFESTS = (".yaml", ".yml", ".json")


def wall(command: Sequence[str], folder: Path, environment: dict[str, str]) -> float:
    """Seconds that a command takes as a whole process."""
    started = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return time.perf_counter() - started


def paired(
    command: Sequence[str], reference: Sequence[str], folder: Path, environment: dict[str, str], pairs: int
) -> tuple[float, float]:
    """(median seconds of the command, median of the ratios to the reference), run in turn."""
    times, ratios = [], []
    wall(command, folder, environment)
    for _ in range(pairs):
        base = wall(reference, folder, environment)
        own = wall(command, folder, environment)
        times.append(own)
        ratios.append(own / base)
    return statistics.median(times), statistics.median(ratios)


def make_repository(folder: Path, documents: int, corpus: Path | None) -> tuple[int, int]:
    """Fill a folder with so many documents; (files, bytes)."""
    sources = sorted(
        path for path in (corpus or ROOT / "examples/shop").rglob("*") if path.suffix in MANIFESTS and path.is_file()
    )
    texts = [path.read_bytes() for path in sources]
    count = files = size = round_ = 0
    while count < documents:
        for path, text in zip(sources, texts):
            if count >= documents:
                break
            relative = path.relative_to(corpus or ROOT / "examples/shop")
            target = folder / f"copy-{round_}" / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            # Content differs from copy to copy, so that nothing is met twice.
            own = text.replace(b"name: ", b"name: c%d-" % round_) if round_ else text
            target.write_bytes(own)
            count += max(1, own.count(b"\n---") + 1)
            files += 1
            size += len(own)
        round_ += 1
    (folder / ".git").mkdir()
    return files, size


def stages(folder: Path) -> None:
    """CPU time of each stage in this process, against libyaml alone."""
    import gc

    import yaml

    from kubelint_ack import catalog, config, engine, sources
    from kubelint_ack.decode import decode
    from kubelint_ack.pool import scan_source
    from kubelint_ack.profile import EMPTY
    from kubelint_ack.scan import Settings

    gc.disable()
    started = time.process_time()
    inputs = sources.collect(
        [str(folder)],
        root=str(folder),
        has_root=True,
        exclude=(),
        force_exclude=False,
        respect_gitignore=True,
        stdin_filename=None,
        stdin=None,
        context=None,
        with_context=True,
    )
    walk = time.process_time() - started
    started = time.process_time()
    contents = [Path(source.file).read_bytes() for source in inputs.scope]
    read = time.process_time() - started

    def events() -> float:
        begun = time.process_time()
        for content in contents:
            with contextlib.suppress(yaml.YAMLError):
                yaml.CLoader(content).raw_parse()
        return time.process_time() - begun

    reference = min(events() for _ in range(3))
    begun = time.process_time()
    count = sum(len(decode(content).documents) for content in contents)
    parse = time.process_time() - begun
    active = catalog.select()
    settings = Settings(active, (EMPTY,))
    begun = time.process_time()
    records = [scan_source((source, "manifest", None), settings) for source in inputs.scope]
    scan = time.process_time() - begun
    begun = time.process_time()
    outcome = engine.run(engine.Request(inputs, config.DEFAULT, active, jobs=1))
    total = time.process_time() - begun
    size = sum(map(len, contents)) / 1e6
    print(f"  {len(contents)} files, {count} documents, {size:.1f} MB, {len(outcome.findings)} findings")
    for name, seconds in (
        ("walk", walk), ("read", read), ("libyaml events alone (R)", reference), ("decode with places", parse),
        ("scan (decode, resource rules, facts)", scan), ("whole run, one process", total),
    ):  # fmt: skip
        print(f"  {name:<40} {seconds:7.3f} s  {seconds / reference:6.2f} R  {count / max(seconds, 1e-9):9.0f} docs/s")
    del records


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--pairs", type=int, default=5)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kubelint-ack-bench-"))
    python = sys.executable
    installed = folder / "installed"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*install, str(installed), str(ROOT)], check=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(installed),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONHASHSEED": "0",
    }
    environment.pop("CI", None)
    tool = [python, "-m", "kubelint_ack", "check"]
    nothing, click = [python, "-c", "pass"], [python, "-c", "import click"]
    try:
        one = folder / "one"
        one.mkdir()
        shutil.copy(ROOT / "examples/shop/cache.yaml", one / "cache.yaml")
        print("Start-up, one file (wall, median; ratio to `python -c pass`):")
        for name, command in (
            ("import click", click),
            ("kubelint-ack --version", [python, "-m", "kubelint_ack", "--version"]),
            ("check one file, text", [*tool, "one/cache.yaml"]),
            ("check one file, sarif", [*tool, "-f", "sarif", "one/cache.yaml"]),
        ):
            seconds, ratio = paired(command, nothing, folder, environment, given.pairs)
            print(f"  {name:<40} {seconds * 1000:7.0f} ms {ratio:6.2f} P")
        repository = folder / "repository"
        repository.mkdir()
        files, size = make_repository(repository, given.documents, given.corpus)
        print(f"Repository of {given.documents} documents ({files} files, {size / 1e6:.1f} MB), CPU by stage:")
        stages(repository)
        print("Whole process (wall, median):")
        base = [*tool, "-f", "concise", "--no-cache", "repository"]
        single, _ = paired([*base, "-j", "1"], nothing, folder, environment, 3)
        print(f"  {'one process, no cache':<40} {single:7.2f} s")
        several, ratio = paired(base, [*base, "-j", "1"], folder, environment, 3)
        print(f"  {'processes as they pay, no cache':<40} {several:7.2f} s  {ratio:6.2f} of one process")
        cached = [*tool, "-f", "concise", "repository"]
        warm, ratio = paired(cached, base, folder, environment, 3)
        print(f"  {'again, nothing changed':<40} {warm:7.2f} s  {ratio:6.2f} of the run without cache")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"  {'largest process':<40} {peak:7.0f} MiB")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
