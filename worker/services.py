"""What a process needs to work on jobs, opened once from the settings."""

import os
import socket
from dataclasses import dataclass, replace

from worker.claim_rules import ClaimRules
from worker.clock import Clock, clock_of
from worker.corrections import CorrectionStore
from worker.database import Database
from worker.deliveries import DeliveryStore
from worker.jobs import JobStore
from worker.leases import LeaseStore
from worker.models import ModelStore
from worker.people.keys import KeyStore
from worker.people.quotas import Quota
from worker.people.sessions import SessionStore
from worker.people.sharing import FairLine
from worker.people.users import UserStore
from worker.prediction_line import PredictionLine
from worker.presence import PresenceBoard
from worker.progress import LiveFigures
from worker.queue import StepQueue, create_celery
from worker.redis import connect_redis
from worker.settings import Settings
from worker.storage.opening import open_volume
from worker.volume import Volume
from worker.waiting_steps import WaitingSteps
from worker.webhooks import WebhookStore


@dataclass(frozen=True)
class Services:
    """Open one in each process, never before a fork. `worker` names the process on the rows that it claims.

    `owner` is for whom something is done: whose the jobs are that are submitted. None is nobody in particular.
    """

    settings: Settings
    worker: str
    clock: Clock
    volume: Volume
    database: Database
    jobs: JobStore
    leases: LeaseStore
    waiting: WaitingSteps
    line: FairLine
    models: ModelStore
    corrections: CorrectionStore
    webhooks: WebhookStore
    deliveries: DeliveryStore
    users: UserStore
    keys: KeyStore
    sessions: SessionStore
    queue: StepQueue
    live: LiveFigures
    presence: PresenceBoard
    predictions: PredictionLine
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
            line=FairLine(database, leases),
            models=ModelStore(database),
            corrections=CorrectionStore(database, clock),
            webhooks=WebhookStore(database),
            deliveries=DeliveryStore(database, clock),
            users=UserStore(database, clock),
            keys=KeyStore(database, clock),
            sessions=SessionStore(database, clock),
            queue=StepQueue(create_celery(settings.redis_url), redis, version),
            live=LiveFigures(redis, settings.progress_seconds),
            presence=PresenceBoard(redis),
            predictions=PredictionLine(settings.redis_url, settings.prediction_seconds),
        )

    def on_behalf_of(self, owner: str | None) -> "Services":
        """The same, for somebody."""
        return self if owner == self.owner else replace(self, owner=owner)
