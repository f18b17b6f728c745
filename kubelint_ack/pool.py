"""Scanning many files: from the cache, in this process, or in a pool of processes. The result is the same."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubelint_ack.files import Source, Unreadable, read
from kubelint_ack.scan import ScanRecord, Settings, crashed, scan, unreadable

if TYPE_CHECKING:
    from kubelint_ack.cache import Cache

# A pool pays once the work is longer than its start (bytes of YAML; measured, see bench/).
FORK_THRESHOLD = 150_000
SPAWN_THRESHOLD = 1_500_000

Work = tuple[Source, str]
Progress = Callable[[int, int], None] | None

_settings: Settings | None = None


def scan_source(source: Source, role: str, settings: Settings) -> ScanRecord:
    """The record of a source, read now."""
    try:
        data = read(source, settings.max_bytes)
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
    """The records of all sources, in their order. `jobs` 0: as many processes as pay."""
    total = len(sources)
    records: dict[str, ScanRecord] = {}
    work: list[tuple[Source, str]] = []
    hashes: dict[str, str] = {}
    if cache is not None:
        cache.open(settings_key)
    for source in sources:
        role = roles.get(source.path, "manifest")
        if cache is not None and source.data is None:
            try:
                data = read(source, settings.max_bytes)
            except Unreadable as error:
                records[source.path] = unreadable(source.path, error.reason, error.detail, settings)
                continue
            hashes[source.path] = cache.digest(data, source.path, f"{role}{source.explicit:d}")
            stored = cache.get(source.path, hashes[source.path])
            if stored is not None:
                records[source.path] = stored
                continue
        work.append((source, role))
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
            for source, role in work:
                done(scan_source(source, role, settings), None)
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
    size = 0
    for source, _ in work:
        size += len(source.data) if source.data is not None else _size(source.file)
    threshold = FORK_THRESHOLD if hasattr(os, "fork") and os.name == "posix" else SPAWN_THRESHOLD
    return (
        min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
        if size > threshold
        else 1
    )


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
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
    records = (scan_source(source, role, _settings) for source, role in batch)
    return [encode(record) or record for record in records]


def _scan_in_pool(
    work: Sequence[Work], settings: Settings, processes: int, done: Callable[[ScanRecord, bytes | None], None]
) -> None:
    """Size-balanced batches, largest files first, so that no big file stands alone at the end."""
    import multiprocessing

    from kubelint_ack.cache import decode

    ordered = sorted(work, key=lambda item: (-_size(item[0].file), item[0].path))
    count = min(len(ordered), processes * 8)
    batches: list[list[Work]] = [[] for _ in range(count)]
    weights = [0] * count
    for item in ordered:
        lightest = weights.index(min(weights))
        batches[lightest].append(item)
        weights[lightest] += _size(item[0].file) + 500
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
