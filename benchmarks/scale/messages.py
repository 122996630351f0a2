"""What the queue costs: a message in Redis, through Celery, as Tenfold announces a step, and its memory."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks.scale.timings import Timings
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.progress import LiveProgress
from tenfold.worker.jobs.queue import RUN_STEP, StepQueue, create_celery
from tenfold.worker.redis import connect_redis

# As large as a message of Celery's.
MESSAGE = "x" * 800

BATCH = 100
QUEUE = JobKind.CLASSIFICATION.value


def measure(redis_url: str, messages: int, seconds: float) -> list[dict[str, Any]]:
    """A row for each operation; that of a `message in Redis` says what one takes of its memory."""
    redis, celery = connect_redis(redis_url), create_celery(redis_url)
    queue, live = StepQueue(celery, redis), LiveProgress(redis, interval_seconds=0)
    timings = Timings()

    def push_and_pop() -> None:
        redis.lpush("benchmark", MESSAGE)
        redis.brpop("benchmark")

    with celery.connection_for_write() as connection:
        producer = celery.amqp.Producer(connection, auto_declare=False)

        def send() -> None:
            celery.send_task(RUN_STEP, args=[1], queue=QUEUE, producer=producer, retry=False)

        operations: dict[str, Callable[[], object]] = {
            "bare LPUSH and BRPOP": push_and_pop,
            "bare send of Celery's": send,
            "announce a step": lambda: queue.announce(JobKind.CLASSIFICATION, [1]),
            f"announce {BATCH} steps": lambda: queue.announce(JobKind.CLASSIFICATION, range(BATCH)),
            "publish live figures": lambda: live.publish("job", 1, 1),
            "read live figures": lambda: live.read("job"),
        }
        for name, action in operations.items():
            action()
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                timings.of(name, action)
    rows = timings.rows()
    redis.flushdb()
    return [*rows, {"operation": "message in Redis", "bytes": _bytes_each(redis, queue, messages)}]


def _bytes_each(redis: Any, queue: StepQueue, messages: int) -> float:
    before = redis.info("memory")["used_memory"]
    queue.announce(JobKind.CLASSIFICATION, range(messages))
    taken = redis.info("memory")["used_memory"] - before
    redis.flushdb()
    return float(taken / messages)
