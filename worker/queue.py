"""The queue: a Celery application over Redis whose messages carry only the id of a step to try.

Nothing depends on a message: it may come twice, late or never. The rows decide (`leases.py`), and what is
lost is announced again (`healing.py`).
"""

import logging
from collections.abc import Iterable

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from worker.redis import REDIS_TIMEOUT_SECONDS, broker_settings
from worker.states import JobKind, StepKind

log = logging.getLogger(__name__)

RUN_STEP = "tenfold.run_step"

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
    """Announces steps to the workers, and tells how many announcements wait."""

    def __init__(self, celery: Celery, redis: Redis) -> None:
        self._celery = celery
        self._redis = redis

    def announce(self, kind: JobKind, step_ids: Iterable[int]) -> bool:
        """Tell the workers of steps to try. False when Redis is away; the healer announces them later."""
        try:
            self._redis.ping()  # Celery would wait seconds for a Redis that is away
            with self._celery.connection_for_write() as connection:
                producer = self._celery.amqp.Producer(connection, auto_declare=False)
                for step_id in step_ids:
                    self._celery.send_task(
                        RUN_STEP, args=[step_id], queue=_queue_of(kind), producer=producer, retry=False
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
        self._redis.rpop(_queue_of(kind))

    def waiting(self, kind: JobKind) -> int:
        """How many announcements in the queue of this kind of job no worker has taken yet.

        Raises:
            RedisError: Redis is away.
        """
        return int(self._redis.llen(_queue_of(kind)))


def _queue_of(kind: JobKind) -> str:
    return (kind if kind in QUEUES else JobKind.CLASSIFICATION).value
