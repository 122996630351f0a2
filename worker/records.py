"""The tables: a row for every job, every step of a job, every trained model, every correction, every person and every
API key. They are the truth.

Times are seconds since the epoch, UTC, as floats: leases are compared with them in SQL on every database alike.
"""

from enum import StrEnum
from typing import Any, Self

from sqlalchemy import JSON, BigInteger, Enum, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from trainer.dataset_files import DIGITS
from trainer.input_spec import InputSpec
from trainer.known import KNOWN
from worker.people.scopes import Scope
from worker.states import JobKind, JobState, StepKind, StepState


def _name_of(kind: type[StrEnum]) -> Enum:
    """A column that stores an enum's value as plain text, readable in any SQL shell."""
    return Enum(kind, native_enum=False, length=20, values_callable=lambda members: [m.value for m in members])


# Of models that were trained before their input was recorded, on a data set that somebody imported.
_ASSUMED = InputSpec("digit", reason="The model was trained by a version of Tenfold that didn't record its input.")


class Record(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON, str: String(255)}  # noqa: RUF012

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        """The record of a whole row, as a session that has ended leaves it, at a tenth of the cost."""
        record: Self = cls.__mapper__.class_manager.new_instance()
        record.__dict__.update(row)
        return record


class Job(Record):
    """One training, classification, import of a data set, sweep or review that a person submitted, or a sweep's trial.

    `parent_id` is the sweep of which a training is a trial. `owner` is who submitted it, null without users.
    `done` of `total` counts epochs for a training, images for a classification, the one file of an import, a sweep's
    trials, and the corrections of a review; `detail` holds what else progress has to tell (a training's history, say).
    `bytes` is what its files take on the volume: the upload's at first, all once it has ended. `error` says why a job
    failed, or why a sweep gave up one of its trials.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_by_state", "state", "id"),
        Index("jobs_by_kind", "kind", "id"),
        Index("jobs_by_parent", "parent_id", "id"),
        Index("jobs_by_owner", "owner", "state", "kind", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    parent_id: Mapped[str | None] = mapped_column(String(26))
    owner: Mapped[str | None] = mapped_column(ForeignKey("users.name", ondelete="SET NULL"))
    kind: Mapped[JobKind] = mapped_column(_name_of(JobKind))
    state: Mapped[JobState] = mapped_column(_name_of(JobState))
    parameters: Mapped[dict[str, Any]]
    source: Mapped[dict[str, Any]]
    idempotency_key: Mapped[str | None] = mapped_column(unique=True)
    fingerprint: Mapped[str]
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    summary: Mapped[dict[str, Any] | None]
    error: Mapped[str | None] = mapped_column(Text)


# Steps that were tried and went back in line: few, so that those tried too often are found without going through all
# that are in line. A query must have these words for its index to be used.
IN_LINE_AGAIN = text("state = 'queued' AND attempts > 0")


class Step(Record):
    """The smallest piece of a job that one worker does at a time, and what a lease is held on.

    While `state` is `running`, `lease_token` names the one claim whose writes count, until `lease_expires_at`.
    `version` is from which one on a worker can do it (`versions.py`).
    """

    __tablename__ = "steps"
    __table_args__ = (
        UniqueConstraint("job_id", "kind", "position"),
        Index("steps_by_state", "state", "kind", "announced_at", "id"),
        Index("steps_in_line_again", "state", "attempts", sqlite_where=IN_LINE_AGAIN, postgresql_where=IN_LINE_AGAIN),
        Index("steps_by_job", "job_id", "state", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    kind: Mapped[StepKind] = mapped_column(_name_of(StepKind))
    position: Mapped[int] = mapped_column(default=0)
    state: Mapped[StepState] = mapped_column(_name_of(StepState))
    input: Mapped[dict[str, Any]] = mapped_column(default=dict)
    output: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    announced_at: Mapped[float | None]
    worker: Mapped[str | None]
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[float | None]


class Model(Record):
    """A trained model in the registry; its id is that of the training that made it.

    `pinned` is the default, which serves where none is named. `trial` marks the models of a sweep, but for its best.
    """

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    recipe: Mapped[str]
    dataset: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    created_at: Mapped[float]
    pinned: Mapped[bool] = mapped_column(default=False)
    trial: Mapped[bool] = mapped_column(default=False)

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name for each of the model's outputs; models of the first release name none, and know digits."""
        return tuple(self.metrics.get("class_names", DIGITS))

    @property
    def input(self) -> InputSpec:
        """How a picture becomes what the model takes.

        Raises:
            InputUnsupported: a later version of Tenfold trained it, with an input that this one can't make.
        """
        if "input" in self.metrics:
            return InputSpec.read(self.metrics["input"])
        return KNOWN[self.dataset].input if self.dataset in KNOWN else _ASSUMED

    @property
    def input_recorded(self) -> bool:
        """Whether `input` is known, and not assumed."""
        return "input" in self.metrics or self.dataset in KNOWN


class Webhook(Record):
    """An address that is told when jobs of these kinds end; of all kinds where none is named."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[float]


class Delivery(Record):
    """One event on its way to a webhook, written when the job ends; `payload` is what was so at that time.

    `next_try_at` is null when it has arrived or was given up. Who tries moves it on first, so that nobody else does.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_by_next_try", "next_try_at"),
        Index("deliveries_by_webhook", "webhook_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    job_id: Mapped[str] = mapped_column(String(26))
    event: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[float]
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[float | None]
    delivered_at: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(Text)


class Correction(Record):
    """What a person says that an image of a classification shows; goes with its job.

    `row` and `name` are those of the results. `label` is one of the model's classes, or null for none of them.
    """

    __tablename__ = "corrections"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None]
    corrected_at: Mapped[float]


class User(Record):
    """Somebody who may use this Tenfold.

    `max_jobs` and `max_bytes` override the settings' quotas where they are not null. A session of theirs
    counts while it has their `session_stamp`. `served_at` is when a worker last took a step of theirs.
    """

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    password_hash: Mapped[str]
    session_stamp: Mapped[str]
    scope: Mapped[Scope] = mapped_column(_name_of(Scope))
    max_jobs: Mapped[int | None]
    max_bytes: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[float]
    served_at: Mapped[float] = mapped_column(default=0)


class ApiKey(Record):
    """A key to the API; `id` is its visible part, `digest` the SHA-256 of the rest. It goes with its owner.

    One without `expires_at` never expires.
    """

    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_by_owner", "owner"),)

    id: Mapped[str] = mapped_column(String(15), primary_key=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    name: Mapped[str]
    scope: Mapped[Scope] = mapped_column(_name_of(Scope))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[float]
    last_used_at: Mapped[float | None]
    expires_at: Mapped[float | None]


class SignIn(Record):
    """A session of somebody's; `id` is the SHA-256 of what their browser shows.

    It counts while its `stamp` is the `session_stamp` of its owner.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (Index("sign_ins_by_owner", "owner"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    stamp: Mapped[str]
    expires_at: Mapped[float]
