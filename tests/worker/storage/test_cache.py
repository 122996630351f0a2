"""A host's copies of what is in a bucket take no more room than they may, and none goes that is in use."""

import os
from pathlib import Path

from tenfold.worker.storage.cache import KEPT_SECONDS, TRIM_SECONDS, Cache


def test_copies_make_room_but_for_those_in_use(tmp_path: Path) -> None:
    now = 1_000_000.0
    cache = Cache(tmp_path, most_bytes=10_000, clock=lambda: now)
    for age, name in enumerate(("unused", "pinned", "young", "oldest")):
        path = tmp_path / "jobs" / name / "input.zip"
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(20_000))
        with cache.fetching(path):
            cache.note(path, "tag")
        os.utime(tmp_path / ".locks" / f"jobs-{name}.use", (now - age, now - age))
    now += KEPT_SECONDS + TRIM_SECONDS
    os.utime(tmp_path / ".locks" / "jobs-young.use", (now, now))

    with cache.pinned(tmp_path / "jobs" / "pinned"):
        os.utime(tmp_path / ".locks" / "jobs-pinned.use", (0, 0))
        cache.trim()

    assert {path.name for path in (tmp_path / "jobs").iterdir()} == {"pinned", "young"}
    assert cache.known(tmp_path / "jobs" / "young" / "input.zip") == "tag"
    assert cache.known(tmp_path / "jobs" / "unused" / "input.zip") is None
