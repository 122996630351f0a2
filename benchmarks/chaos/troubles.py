"""Does what a plan's troubles say, to a running fleet, and makes it good again when the time is up."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from redis.exceptions import RedisError

from benchmarks.chaos.clocks import MovableClock
from benchmarks.chaos.databases import BreakableDatabase
from benchmarks.chaos.disk import SharedDisk, SmallDisk
from benchmarks.chaos.fleet import Fleet, Member
from benchmarks.chaos.plan import Trouble, TroubleKind

Thing = TypeVar("Thing")

# Redis needs some memory of its own, so it takes nothing beyond this.
FULL_REDIS_BYTES = 1

# What may become unreadable: what was submitted, what is half done, and models.
HIDDEN = ("jobs/*/input.zip", "jobs/*/work/*", "models/*/model.keras", "jobs/*/results.csv")


class Troublemaker:
    """Makes trouble as planned, each kind one at a time, and counts what it did.

    Args:
        aside: where unreadable files lie meanwhile; on the volume's disk, and not on the volume.
        clocks: those that are moved.
        say: told of each trouble.
    """

    def __init__(
        self,
        fleet: Fleet,
        database: BreakableDatabase,
        disk: SmallDisk | SharedDisk,
        aside: Path,
        clocks: Sequence[MovableClock],
        say: Callable[[str], None],
    ) -> None:
        self._fleet = fleet
        self._database = database
        self._disk = disk
        self._aside = aside
        self._clocks = clocks
        self._say = say
        self._turns = {kind: threading.Lock() for kind in TroubleKind}
        self.done: Counter[TroubleKind] = Counter()
        self._do: dict[TroubleKind, Callable[[Trouble], object]] = {
            TroubleKind.KILL_CHILD: self._kill_child,
            TroubleKind.KILL_PARENT: lambda trouble: self._worker(trouble).kill(group=False),
            TroubleKind.KILL_WORKER: lambda trouble: self._worker(trouble).kill(group=True),
            TroubleKind.KILL_WEB: lambda _: fleet.web.kill(group=True),
            TroubleKind.STOP_WORKER: self._stop_worker,
            TroubleKind.RESTART_REDIS: lambda _: fleet.redis.kill(group=True),
            TroubleKind.FLUSH_REDIS: lambda _: fleet.flush_redis(),
            TroubleKind.FILL_REDIS: self._fill_redis,
            TroubleKind.BREAK_DATABASE: lambda trouble: database.break_for(trouble.seconds),
            TroubleKind.FILL_DISK: self._fill_disk,
            TroubleKind.HIDE_FILE: self._hide_file,
            TroubleKind.MOVE_CLOCK: self._move_clock,
        }

    def make(self, trouble: Trouble) -> None:
        """Do it, and return when it is over."""
        with self._turns[trouble.kind]:
            self._say(f"{trouble.kind.value} ({trouble.seconds:.1f} s)")
            try:
                if self._do[trouble.kind](trouble) is not False:
                    self.done[trouble.kind] += 1
            except (RedisError, OSError) as error:
                # Two troubles met, such as a flush of a Redis that is just dead.
                self._say(f"{trouble.kind.value} did not come about: {error}")

    def _worker(self, trouble: Trouble) -> Member:
        return _picked(self._fleet.workers, trouble.pick)

    def _kill_child(self, trouble: Trouble) -> object:
        children = [pid for worker in self._fleet.workers for pid in worker.children()]
        if not children:
            return False
        with suppress(ProcessLookupError):
            os.kill(_picked(children, trouble.pick), signal.SIGKILL)
        return True

    def _stop_worker(self, trouble: Trouble) -> None:
        worker = self._worker(trouble)
        worker.signal_group(signal.SIGSTOP)
        time.sleep(trouble.seconds)
        worker.signal_group(signal.SIGCONT)

    def _fill_redis(self, trouble: Trouble) -> None:
        self._fleet.limit_redis(FULL_REDIS_BYTES)
        time.sleep(trouble.seconds)
        with suppress(RedisError):  # it was killed meanwhile, and has no limit any more
            self._fleet.limit_redis(0)

    def _fill_disk(self, trouble: Trouble) -> None:
        with self._disk.full(self._fleet.writers):
            time.sleep(trouble.seconds)

    def _hide_file(self, trouble: Trouble) -> object:
        """A directory takes its place, which not even root can read as a file."""
        found = [path for pattern in HIDDEN for path in sorted(self._fleet.data.glob(pattern)) if path.is_file()]
        # Of what is there for long, most is unneeded.
        if not found:
            return False
        path = _picked(sorted(found, key=lambda path: path.stat().st_mtime)[-20:], trouble.pick)
        hidden = self._aside / f"hidden-{time.monotonic_ns()}"
        path.rename(hidden)
        with suppress(OSError):
            path.mkdir()
        time.sleep(trouble.seconds)
        with suppress(OSError):
            path.rmdir()
        if path.parent.is_dir() and not path.exists():
            hidden.rename(path)
        hidden.unlink(missing_ok=True)
        return True

    def _move_clock(self, trouble: Trouble) -> None:
        clock = _picked(self._clocks, trouble.pick)
        clock.move(trouble.step_seconds)
        time.sleep(trouble.seconds)
        clock.move(0)


def _picked(things: Sequence[Thing], pick: float) -> Thing:
    return things[int(pick * len(things))]
