"""The queue: a Celery application over Redis whose messages carry only the id of a step to try.

Nothing depends on a message: it may come twice, late or never. The rows decide (`leases.py`), and what is
lost is announced again (`healing.py`).
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from worker.redis import REDIS_TIMEOUT_SECONDS, broker_settings
from worker.states import JobKind, StepKind
from worker.versions import STEP_VERSION

log = logging.getLogger(__name__)

RUN_STEP = "tenfold.run_step"

# The header of a message that says of which version it and its step are; without it they are of the first.
VERSION = "tenfold_version"

# Asks every worker what it is (`upkeep.about`).
ABOUT = "tenfold_about"

# Imports, reviews and the steps of a sweep are short: they share the queue of the classifications, so that no long
# training holds them up.
QUEUES: dict[JobKind, tuple[StepKind, ...]] = {
    JobKind.TRAINING: (StepKind.TRAIN,),
    JobKind.CLASSIFICATION: (
        StepKind.PLAN,
        StepKind.SHARD,
        StepKind.MERGE,
        StepKind.IMPORT,
        StepKind.ADVANCE,
        StepKind.CORRECT,
    ),
}


def create_celery(redis_url: str) -> Celery:
    """The Celery application, configured for long steps: one message at a time, acknowledged when done."""
    celery = Celery("tenfold")
    celery.conf.update(
        **broker_settings(redis_url),
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=True,
        worker_hijack_root_logger=False,
        # A child imports TensorFlow before it reports ready, which takes up to a minute on a busy machine.
        worker_proc_alive_timeout=120,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # However long Redis is away, a worker waits for it: by default Celery gives up after a hundred tries.
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=REDIS_TIMEOUT_SECONDS,
        # Nor does it end when Redis refuses to write: its memory is full, or it is a replica since a failover.
        broker_channel_error_retry=True,
    )
    return celery


class StepQueue:
    """Announces steps to the workers, and tells how many announcements wait.

    There is a queue for each version of steps, and a worker listens to those up to its own: it takes no announcement
    that only later ones could use. A worker that comes by one all the same passes it on.

    Args:
        version: of the steps that this process writes (`versions.py`).
    """

    def __init__(self, celery: Celery, redis: Redis, version: int = STEP_VERSION) -> None:
        self._celery = celery
        self._redis = redis
        self._version = version

    def announce(self, kind: JobKind, step_ids: Iterable[int], version: int | None = None) -> bool:
        """Tell the workers of steps to try. False when Redis is away; the healer announces them later.

        Args:
            version: of the steps; default: this process' own.
        """
        version = version or self._version
        return self._send(_queue_of(kind, version), version, [[step_id] for step_id in step_ids])

    def pass_on(self, queue: str, version: int, args: Sequence[Any]) -> bool:
        """Put a message of a later version, as it came from this queue, where only workers who know it listen."""
        return self._send(queue_name(queue.partition(".")[0], version), version, [args])

    def _send(self, queue: str, version: int, messages: Iterable[Sequence[Any]]) -> bool:
        try:
            self._redis.ping()  # Celery would wait seconds for a Redis that is away
            with self._celery.producer_pool.acquire(block=True) as producer:
                for args in messages:
                    self._celery.send_task(
                        RUN_STEP, args=args, queue=queue, headers={VERSION: version}, producer=producer, retry=False
                    )
        except (OperationalError, RedisError, OSError) as error:
            log.warning("Redis is away, the step will be announced later: %s", error)
            return False
        return True

    def drop_one(self, kind: JobKind) -> None:
        """Take one announcement from the queue unread.

        Raises:
            RedisError: Redis is away.
        """
        self._redis.rpop(_queue_of(kind, self._version))

    def waiting(self, kind: JobKind, version: int | None = None) -> int:
        """How many announcements for this kind of job no worker has taken yet: of one version, or of all up to this
        process' own.

        Raises:
            RedisError: Redis is away.
        """
        versions = [version] if version else range(1, self._version + 1)
        return sum(int(self._redis.llen(_queue_of(kind, each))) for each in versions)


def queue_names(kinds: Iterable[JobKind], version: int) -> list[str]:
    """The queues in Redis that a worker of this version listens to."""
    return [_queue_of(kind, each) for kind in kinds for each in range(1, version + 1)]


def queue_name(name: str, version: int) -> str:
    """Of version 1 it is the plain name, as the first release has it."""
    return name if version == 1 else f"{name}.{version}"


def _queue_of(kind: JobKind, version: int) -> str:
    return queue_name((kind if kind in QUEUES else JobKind.CLASSIFICATION).value, version)
