"""Scanning many files: from the cache, in this process, or in a pool of processes. The result is the same."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubelint_ack.crds import definitions, pieces_of
from kubelint_ack.files import Source, Unreadable, read
from kubelint_ack.scan import ScanRecord, Settings, crashed, scan, unreadable

if TYPE_CHECKING:
    from kubelint_ack.cache import Cache

# A pool pays once the work is longer than its start (bytes of YAML; measured, see bench/).
FORK_THRESHOLD = 150_000
SPAWN_THRESHOLD = 1_500_000

HELD = 100_000_000
"""Bytes of files that are kept between looking for definitions and scanning; beyond, they are read again."""

Work = tuple[Source, str, bytes | None]
"""A source, its role, and its content where that is held."""
Progress = Callable[[int, int], None] | None

_settings: Settings | None = None


def scan_source(work: Work, settings: Settings) -> ScanRecord:
    """The record of a source, read now where its content is not held."""
    source, role, data = work
    try:
        data = read(source, settings.max_bytes) if data is None else data
    except Unreadable as error:
        return unreadable(source.path, error.reason, error.detail, settings)
    try:
        return scan(source.path, data, role, source.explicit, settings)
    except Exception as error:  # a crash is a finding about the linter, never the end of the run
        return crashed(source.path, error)


def scan_all(
    sources: Sequence[Source],
    roles: Mapping[str, str],
    settings: Settings,
    settings_key: str,
    jobs: int,
    cache: Cache | None,
    progress: Progress,
) -> list[ScanRecord]:
    """The records of all sources, in their order. `jobs` 0: as many processes as pay.

    Everything is read first, since what a file is judged by may be defined in any other. The settings bring what is
    defined elsewhere.
    """
    total = len(sources)
    records: dict[str, ScanRecord] = {}
    waiting: list[Work] = []
    hashes: dict[str, str] = {}
    pieces = list(settings.definitions.pieces)
    held = 0
    for source in sources:
        role = roles.get(source.path, "manifest")
        try:
            data = read(source, settings.max_bytes)
        except Unreadable as error:
            records[source.path] = unreadable(source.path, error.reason, error.detail, settings)
            continue
        if role == "manifest":
            pieces += pieces_of(source, data)
        if cache is not None and source.data is None:
            hashes[source.path] = cache.digest(data, source.path, f"{role}{source.explicit:d}")
        held += len(data)
        waiting.append((source, role, data if held <= HELD else None))
    settings = settings._replace(definitions=definitions(pieces, settings.max_bytes))
    work = waiting
    if cache is not None:
        cache.open(settings_key)
        work = []
        for one in waiting:
            path = one[0].path
            stored = cache.get(path, hashes[path]) if path in hashes else None
            if stored is not None and stored.schemas == settings.definitions.digest(stored.families):
                records[path] = stored
            else:
                work.append(one)
    processes = _processes(work, jobs)

    def done(record: ScanRecord, encoded: bytes | None) -> None:
        records[record.path] = record
        if cache is not None and record.path in hashes:
            cache.put(record, hashes[record.path], encoded)
        if progress is not None:
            progress(len(records), total)

    if processes > 1:
        _scan_in_pool(work, settings, processes, done)
    else:
        enabled = gc.isenabled()
        gc.disable()
        try:
            for one in work:
                done(scan_source(one, settings), None)
        finally:
            if enabled:
                gc.enable()
    if cache is not None:
        cache.save()
    return [records[source.path] for source in sources]


def _processes(work: Sequence[Work], jobs: int) -> int:
    if jobs == 1 or len(work) < 2:
        return 1
    if jobs > 1:
        return min(jobs, len(work))
    size = sum(map(_size, work))
    threshold = FORK_THRESHOLD if hasattr(os, "fork") and os.name == "posix" else SPAWN_THRESHOLD
    return (
        min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
        if size > threshold
        else 1
    )


def _size(work: Work) -> int:
    source, _, data = work
    if data is not None:
        return len(data)
    try:
        return os.stat(source.file).st_size
    except OSError:
        return 0


def _initialise(settings: Settings) -> None:
    import signal

    global _settings
    _settings = settings
    # An interrupt is for the process that started these, which ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _scan_batch(batch: list[Work]) -> list[bytes | ScanRecord]:
    """Records, encoded where they can be: a number beyond 64 bits, or a name that is no UTF-8, cannot."""
    from kubelint_ack.cache import encode

    assert _settings is not None
    records = (scan_source(one, _settings) for one in batch)
    return [encode(record) or record for record in records]


def _scan_in_pool(
    work: Sequence[Work], settings: Settings, processes: int, done: Callable[[ScanRecord, bytes | None], None]
) -> None:
    """Size-balanced batches, largest files first, so that no big file stands alone at the end."""
    import multiprocessing

    from kubelint_ack.cache import decode

    ordered = sorted(work, key=lambda item: (-_size(item), item[0].path))
    count = min(len(ordered), processes * 8)
    batches: list[list[Work]] = [[] for _ in range(count)]
    weights = [0] * count
    for item in ordered:
        lightest = weights.index(min(weights))
        batches[lightest].append(item)
        weights[lightest] += _size(item) + 500
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() and os.uname().sysname != "Darwin" else "spawn"
    context: Any = multiprocessing.get_context(method)
    gc.freeze()
    with context.Pool(processes, _initialise, (settings,)) as pool:
        for encoded in pool.imap_unordered(_scan_batch, batches):
            for one in encoded:
                if isinstance(one, bytes):
                    done(decode(one), one)
                else:
                    done(one, None)
