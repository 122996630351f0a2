"""The real stores on one database and one Redis, under a clock that tests move; emptied for each example."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from redis import Redis
from sqlalchemy import delete, event

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.datasets.submission import submit_import
from tenfold.worker.db.records import Alias, AliasChange, Delivery, Job, Model, User, Webhook
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind, JobState, StepKind
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import Lease, LeaseStore, Shard
from tenfold.worker.jobs.queue import QUEUES, queue_name
from tenfold.worker.jobs.reconciler import GRACE_SECONDS, Reconciler
from tenfold.worker.jobs.scheduler import FairScheduler
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.submission import new_id
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.sweeps.parameters import SweepParameters
from tenfold.worker.sweeps.submission import submit_sweep
from tenfold.worker.training.submission import submit_training
from tenfold.worker.uploads.upload import Upload
from tenfold.worker.versions import STEP_VERSION
from tests.conftest import Clock
from tests.uploads import zipped
from tests.worker.conftest import LEASE_SECONDS
from tests.worker.rows import MAX_ATTEMPTS, Rows, read_rows

PEOPLE = ("anna", "bert")
WINDOW = 4
SERVING = "serving"

# More than any job here needs, each with a worker that does all that is announced.
ROUNDS_TO_THE_END = 20


class World:
    """Services whose stores share a clock, and what people and workers do with them."""

    def __init__(self, settings: Settings) -> None:
        self.clock = Clock()
        self.services = _on_clock(Services.open(settings), self.clock)
        self.reconciler = Reconciler(self.services.waiting, self.services.queue, window=WINDOW)
        self.redis: Redis = connect_redis(settings.redis_url)
        if self.services.database.engine.dialect.name == "sqlite":
            event.listen(self.services.database.engine, "connect", _write_without_waiting_for_the_disk)
        self._archive = zipped({"1.png": b"never read"})
        self._numbers = count()

    def begin(self) -> None:
        """No job, no message; two people, a model that serves, and a webhook for every kind of job."""
        self.redis.flushdb()
        with self.services.database.write() as session:
            for job in session.query(Job.id):
                self.services.volume.delete_job(job.id)
            for record in (AliasChange, Alias, Delivery, Webhook, Job, Model, User):
                session.execute(delete(record))
            for name in PEOPLE:
                session.add(
                    User(name=name, password_hash="", session_stamp="", scope=Scope.SUBMIT, created_at=self.clock())
                )
            session.add(
                Model(
                    id=SERVING,
                    recipe="any",
                    dataset="mnist",
                    parameters={},
                    metrics={},
                    created_at=self.clock(),
                )
            )
        self.services.aliases.promote(SERVING, who=None)
        self.services.webhooks.add("https://example.org/ends", (), self.clock())

    def rows(self) -> Rows:
        return read_rows(self.services.database, self.clock())

    def submit(self, kind: JobKind, owner: str | None, key: str | None = None) -> Job:
        services = self.services.on_behalf_of(owner)
        match kind:
            case JobKind.TRAINING:
                return submit_training(services, TrainingParameters(epochs=2), key)
            case JobKind.SWEEP:
                sweep = SweepParameters(space="dropout=0|0.2", trials=2, parallel=2, epochs=2)
                return submit_sweep(services, sweep, key)
            case JobKind.CLASSIFICATION:
                chosen = ClassificationParameters(model=SERVING)
                return submit_classification(services, chosen, self._upload(), key)
            case JobKind.IMPORT:
                name = f"own-{key}" if key else f"own-{next(self._numbers)}"
                return submit_import(services, ImportParameters(name=name), self._upload(), key)
            case JobKind.REVIEW | JobKind.COMPARISON | JobKind.MODEL_IMPORT | JobKind.CHECK:
                parameters = {"classification": "any", "models": [SERVING, "another"], "name": "any", "dataset": None}
                return services.jobs.submit(
                    new_id(), kind, parameters, total=1, fingerprint="the same", idempotency_key=key, owner=owner
                )

    def receive(self, queue: JobKind) -> int | None:
        """Take the oldest message; the step that it names."""
        message = self.redis.rpop(queue_name(queue.value, STEP_VERSION))
        if message is None:
            return None
        args, *_ = json.loads(base64.b64decode(json.loads(str(message))["body"]))
        return int(args[0])

    def waiting(self) -> dict[JobKind, int]:
        return {queue: self.services.queue.waiting(queue) for queue in QUEUES}

    def wait_out_leases(self) -> None:
        """Every lease that is not renewed expires, and every announcement counts as lost that is not in Redis."""
        self.clock.advance(max(LEASE_SECONDS, GRACE_SECONDS) + 1)

    def finish(self, lease: Lease, shards: int = 2, seen: Sequence[Job] | None = None) -> None:
        """Finish, and announce, what the runner would.

        Args:
            shards: into how many a classification is planned.
            seen: the trials of a sweep when its step looked at them; default: as they are now.

        Raises:
            LeaseLost: the claim no longer counts.
        """
        leases, queue = self.services.leases, self.services.queue
        match lease.kind:
            case StepKind.TRAIN:
                leases.finish_job(lease, {}, model=_model(lease, self.clock()))
                if lease.parent_id is not None:
                    queue.announce(JobKind.SWEEP, self.services.jobs.queued_steps(lease.parent_id))
            case StepKind.PLAN:
                cut = [Shard(2 * n, 2 * n + 2) for n in range(shards)]
                queue.announce(JobKind.CLASSIFICATION, leases.finish_plan(lease, cut, {}))
            case StepKind.SHARD:
                images = lease.input["stop"] - lease.input["start"]
                queue.announce(JobKind.CLASSIFICATION, leases.finish_shard(lease, images, {"file": lease.token}))
            case StepKind.ADVANCE:
                self._advance(lease, self.services.jobs.trials(lease.job_id) if seen is None else seen)
            case _:
                leases.finish_job(lease, {})

    def _advance(self, lease: Lease, trials: Sequence[Job]) -> None:
        """As `sweeps.advance` does, without asking Optuna for values."""
        leases, parameters = self.services.leases, SweepParameters(**lease.parameters)
        ended = [trial for trial in trials if trial.state.final]
        succeeded = [trial.id for trial in ended if trial.state is JobState.SUCCEEDED]
        if len(ended) < parameters.trial_count:
            places = min(parameters.parallel - len(trials) + len(ended), parameters.trial_count - len(trials))
            training = parameters.trial({"dropout": 0}).model_dump(mode="json")
            new = [_trial(self.services, lease, training, len(trials) + n) for n in range(places)]
            self.services.queue.announce(JobKind.TRAINING, leases.await_trials(lease, new, len(ended), {}))
        elif succeeded:
            leases.finish_job(lease, {}, best_trial=succeeded[0])
        else:
            leases.fail_job(lease, "None of the trials succeeded.")

    def bring_everything_to_its_end(self) -> None:
        """One worker is left that heals, and does whatever is announced."""
        for _ in range(ROUNDS_TO_THE_END):
            self.wait_out_leases()
            self.reconciler.reconcile()
            for queue in QUEUES:
                while (named := self.receive(queue)) is not None:
                    if (lease := self.services.scheduler.claim(named, "the last")) is not None:
                        self.finish(lease)

    def close(self) -> None:
        self.services.database.close()

    def _upload(self) -> Upload:
        path = self.services.volume.uploads / f"{next(self._numbers)}.part"
        path.write_bytes(self._archive)
        return Upload(path, "digits.zip", len(self._archive), "0" * 64)


def _trial(services: Services, lease: Lease, parameters: dict[str, Any], number: int) -> Job:
    return Job(
        id=new_id(),
        parent_id=lease.job_id,
        owner=lease.owner,
        kind=JobKind.TRAINING,
        state=JobState.QUEUED,
        parameters=parameters,
        source={"trial": number, "values": {"dropout": 0}},
        fingerprint=f"{lease.job_id} trial {number}",
        created_at=services.clock(),
        total=2,
        detail={},
    )


def _model(lease: Lease, now: float) -> Model:
    return Model(
        id=lease.job_id,
        recipe="any",
        dataset="mnist",
        parameters={},
        metrics={},
        created_at=now,
        trial=lease.parent_id is not None,
    )


def _on_clock(services: Services, clock: Clock) -> Services:
    database = services.database
    rules = ClaimRules(LEASE_SECONDS, MAX_ATTEMPTS, clock)
    leases = LeaseStore(database, rules)
    return replace(
        services,
        clock=clock,
        jobs=JobStore(database, clock),
        leases=leases,
        waiting=WaitingSteps(database, rules),
        scheduler=FairScheduler(database, leases),
    )


def _write_without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    """Nothing here has to outlive the machine."""
    connection.execute("PRAGMA synchronous=OFF")
