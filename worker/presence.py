"""Which worker processes are alive, and what each is doing: a line in Redis for each, which expires unless renewed.

For people to look at. What a worker holds is decided by its leases (`leases.py`), never by this.
"""

from dataclasses import dataclass
from typing import Literal, cast

from pydantic import TypeAdapter, ValidationError
from redis import Redis

from worker.states import StepKind

# Every process renews its line this often, and counts as gone after missing that several times.
RENEW_SECONDS = 2.0
GONE_SECONDS = 10

NAMES = "tenfold:workers"

Role = Literal["worker", "predictor"]


@dataclass(frozen=True)
class Task:
    """The step that a process works on. `since` is in seconds since the epoch."""

    job: str
    step: StepKind
    position: int
    since: float


@dataclass(frozen=True)
class Presence:
    """One process as it describes itself.

    `device` is what it computes on, None while it is still loading its libraries. `gpu_memory_bytes` is what its
    tensors take on a GPU while it works, None where it has none. A `predictor` never has a `task`: it answers single
    images at once.
    """

    name: str
    role: Role
    host: str
    pid: int
    version: str
    started_at: float
    device: str | None
    memory_bytes: int
    gpu_memory_bytes: int | None
    task: Task | None


_LINE = TypeAdapter(Presence)


class PresenceBoard:
    """Where processes say that they are there. Each call costs Redis one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def say(self, presence: Presence) -> None:
        """Be seen for the next GONE_SECONDS.

        Raises:
            RedisError: Redis is away.
        """
        pipeline = self._redis.pipeline()
        pipeline.sadd(NAMES, presence.name)
        pipeline.set(_key(presence.name), _LINE.dump_json(presence).decode(), ex=GONE_SECONDS)
        pipeline.execute()

    def leave(self, name: str) -> None:
        """No longer be seen.

        Raises:
            RedisError: Redis is away.
        """
        self._redis.delete(_key(name))

    def alive(self) -> list[Presence]:
        """All processes that have been heard of lately: workers first, then predictors, each by name.

        Raises:
            RedisError: Redis is away.
        """
        names = sorted(cast("set[str]", self._redis.smembers(NAMES)))
        lines = cast("list[str | None]", self._redis.mget([_key(name) for name in names])) if names else []
        gone = [name for name, line in zip(names, lines, strict=True) if line is None]
        if gone:
            self._redis.srem(NAMES, *gone)
        found = [presence for line in lines if line is not None and (presence := _read(line))]
        return sorted(found, key=lambda presence: (presence.role != "worker", presence.name))


def _read(line: str) -> Presence | None:
    """None for what another version writes and this one does not understand."""
    try:
        return _LINE.validate_json(line)
    except ValidationError:
        return None


def _key(name: str) -> str:
    return f"tenfold:worker:{name}"
