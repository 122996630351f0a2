"""Connects the stores of all folders: what a process needs to work on jobs."""

import os
import socket
from dataclasses import dataclass, replace

from tenfold.worker.db.clock import Clock, clock_of
from tenfold.worker.db.database import Database
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import LeaseStore
from tenfold.worker.jobs.progress import LiveProgress
from tenfold.worker.jobs.queue import StepQueue, create_celery
from tenfold.worker.jobs.scheduler import FairScheduler
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.models.aliases import AliasStore
from tenfold.worker.models.registry import ModelStore
from tenfold.worker.observability.worker_registry import WorkerRegistry
from tenfold.worker.people.keys import KeyStore
from tenfold.worker.people.quotas import Quota
from tenfold.worker.people.sessions import SessionStore
from tenfold.worker.people.users import UserStore
from tenfold.worker.predictions.queue import PredictionQueue
from tenfold.worker.redis import connect_redis
from tenfold.worker.review.corrections import CorrectionStore
from tenfold.worker.settings import Settings
from tenfold.worker.storage.opening import open_volume
from tenfold.worker.storage.volume import Volume
from tenfold.worker.webhooks.deliveries import DeliveryStore
from tenfold.worker.webhooks.store import WebhookStore


@dataclass(frozen=True)
class Services:
    """Open one per process, never before a fork. `worker` names the process in the rows that it claims.

    `owner` is the user who owns the jobs that are submitted; None without users.
    """

    settings: Settings
    worker: str
    clock: Clock
    volume: Volume
    database: Database
    jobs: JobStore
    leases: LeaseStore
    waiting: WaitingSteps
    scheduler: FairScheduler
    models: ModelStore
    aliases: AliasStore
    corrections: CorrectionStore
    webhooks: WebhookStore
    deliveries: DeliveryStore
    users: UserStore
    keys: KeyStore
    sessions: SessionStore
    queue: StepQueue
    live: LiveProgress
    registry: WorkerRegistry
    predictions: PredictionQueue
    owner: str | None = None

    @classmethod
    def open(cls, settings: Settings) -> "Services":
        volume = open_volume(settings)
        volume.create()
        database = Database(settings.resolved_database_url)
        clock = clock_of(database)
        version = settings.step_version
        rules = ClaimRules(settings.lease_seconds, settings.max_attempts, clock, version)
        leases = LeaseStore(database, rules)
        redis = connect_redis(settings.redis_url)
        return cls(
            settings=settings,
            worker=f"{socket.gethostname()}-{os.getpid()}",
            clock=clock,
            volume=volume,
            database=database,
            jobs=JobStore(
                database,
                clock,
                Quota(settings.max_jobs_per_user, settings.max_bytes_per_user),
                version=version,
            ),
            leases=leases,
            waiting=WaitingSteps(database, rules),
            scheduler=FairScheduler(database, leases),
            models=ModelStore(database),
            aliases=AliasStore(database, clock),
            corrections=CorrectionStore(database, clock),
            webhooks=WebhookStore(database),
            deliveries=DeliveryStore(database, clock),
            users=UserStore(database, clock),
            keys=KeyStore(database, clock),
            sessions=SessionStore(database, clock),
            queue=StepQueue(create_celery(settings.redis_url), redis, version),
            live=LiveProgress(redis, settings.progress_seconds),
            registry=WorkerRegistry(redis),
            predictions=PredictionQueue(settings.redis_url, settings.prediction_seconds),
        )

    def on_behalf_of(self, owner: str | None) -> "Services":
        """The same services for this user."""
        return self if owner == self.owner else replace(self, owner=owner)
