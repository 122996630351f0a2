"""The queue: a Celery application over Redis whose messages carry only the id of a step to try.

Nothing depends on a message: it may arrive twice, late or never. The rows decide (`leases.py`), and lost messages are
sent again (`reconciler.py`).
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from tenfold.worker.db.states import JobKind, StepKind
from tenfold.worker.redis import REDIS_TIMEOUT_SECONDS, broker_settings
from tenfold.worker.versions import STEP_VERSION

log = logging.getLogger(__name__)

RUN_STEP = "tenfold.run_step"

# The message header with the version of the message and its step; without it, both are of version 1.
VERSION = "tenfold_version"

# The remote control command that asks every worker about itself (`upkeep/about.py`).
ABOUT = "tenfold_about"

# Imports, reviews, comparisons, checks and the steps of a sweep are short: they share the queue of classifications, so
# that they never wait for a long training.
QUEUES: dict[JobKind, tuple[StepKind, ...]] = {
    JobKind.TRAINING: (StepKind.TRAIN,),
    JobKind.CLASSIFICATION: (
        StepKind.PLAN,
        StepKind.SHARD,
        StepKind.MERGE,
        StepKind.IMPORT,
        StepKind.ADVANCE,
        StepKind.CORRECT,
        StepKind.COMPARE,
        StepKind.IMPORT_MODEL,
        StepKind.CHECK,
    ),
}


def create_celery(redis_url: str) -> Celery:
    """The Celery application, configured for long steps: one message at a time, acknowledged at the end."""
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
        # A child imports TensorFlow before it is ready, which takes up to a minute on a busy machine.
        worker_proc_alive_timeout=120,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Wait for Redis forever: by default Celery gives up after a hundred tries.
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=REDIS_TIMEOUT_SECONDS,
        # Also when Redis refuses writes, because its memory is full or a failover made it a replica.
        broker_channel_error_retry=True,
    )
    return celery


class StepQueue:
    """Announces steps to the workers, and counts the waiting messages.

    Each version of steps has its own queue. A worker listens to those up to its own version, and passes on a later
    message that reaches it all the same.

    Args:
        version: of the steps that this process writes (`versions.py`).
    """

    def __init__(self, celery: Celery, redis: Redis, version: int = STEP_VERSION) -> None:
        self._celery = celery
        self._redis = redis
        self._version = version

    def announce(self, kind: JobKind, step_ids: Iterable[int], version: int | None = None) -> bool:
        """Announce steps to try. False if Redis is away; the reconciler announces them later.

        Args:
            version: of the steps; default: that of this process.
        """
        version = version or self._version
        return self._send(_queue_of(kind, version), version, [[step_id] for step_id in step_ids])

    def pass_on(self, queue: str, version: int, args: Sequence[Any]) -> bool:
        """Move a message of a later version from this queue to one that only workers of that version listen to."""
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
        """Discard one message of the queue.

        Raises:
            RedisError: Redis is away.
        """
        self._redis.rpop(_queue_of(kind, self._version))

    def waiting(self, kind: JobKind, version: int | None = None) -> int:
        """The number of waiting messages for this kind of job: of one version, or of all versions of this process.

        Raises:
            RedisError: Redis is away.
        """
        versions = [version] if version else range(1, self._version + 1)
        return sum(int(self._redis.llen(_queue_of(kind, each))) for each in versions)


def queue_names(kinds: Iterable[JobKind], version: int) -> list[str]:
    """The names of the queues that a worker of this version listens to."""
    return [_queue_of(kind, each) for kind in kinds for each in range(1, version + 1)]


def queue_name(name: str, version: int) -> str:
    """The name of the queue for this version; version 1 has the plain name."""
    return name if version == 1 else f"{name}.{version}"


def _queue_of(kind: JobKind, version: int) -> str:
    return queue_name((kind if kind in QUEUES else JobKind.CLASSIFICATION).value, version)
