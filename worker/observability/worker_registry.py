"""Which processes are online and what they are doing: one key in Redis per process, which expires unless renewed.

Only for people to look at. Which steps a worker holds is decided by its leases (`jobs/leases.py`).
"""

from dataclasses import dataclass
from typing import Literal, cast

from pydantic import TypeAdapter, ValidationError
from redis import Redis

from tenfold.worker.db.states import StepKind

# A process counts as offline after several missed renewals.
RENEW_SECONDS = 2.0
OFFLINE_SECONDS = 10

NAMES = "tenfold:workers"

Role = Literal["worker", "predictor"]


@dataclass(frozen=True)
class Task:
    """The step that a process works on, `since` when in seconds since the epoch."""

    job: str
    step: StepKind
    position: int
    since: float


@dataclass(frozen=True)
class ProcessInfo:
    """One process.

    `device` is what it computes on, None until its libraries are loaded. `gpu_memory_bytes` is the size of its tensors
    on the GPU while it works, None without a GPU. A `predictor` never has a `task`.
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


_LINE = TypeAdapter(ProcessInfo)


class WorkerRegistry:
    """The processes that are online. Each call is one round trip to Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def register(self, process: ProcessInfo) -> None:
        """Count as online for the next OFFLINE_SECONDS.

        Raises:
            RedisError: Redis is away.
        """
        pipeline = self._redis.pipeline()
        pipeline.sadd(NAMES, process.name)
        pipeline.set(_key(process.name), _LINE.dump_json(process).decode(), ex=OFFLINE_SECONDS)
        pipeline.execute()

    def unregister(self, name: str) -> None:
        """Count as offline.

        Raises:
            RedisError: Redis is away.
        """
        self._redis.delete(_key(name))

    def online(self) -> list[ProcessInfo]:
        """All processes that are online: workers first, then predictors, each by name.

        Raises:
            RedisError: Redis is away.
        """
        names = sorted(cast("set[str]", self._redis.smembers(NAMES)))
        lines = cast("list[str | None]", self._redis.mget([_key(name) for name in names])) if names else []
        gone = [name for name, line in zip(names, lines, strict=True) if line is None]
        if gone:
            self._redis.srem(NAMES, *gone)
        found = [process for line in lines if line is not None and (process := _read(line))]
        return sorted(found, key=lambda process: (process.role != "worker", process.name))


def _read(line: str) -> ProcessInfo | None:
    """None for what another version wrote and this one cannot read."""
    try:
        return _LINE.validate_json(line)
    except ValidationError:
        return None


def _key(name: str) -> str:
    return f"tenfold:worker:{name}"
