"""The tables. Their rows are the source of truth for jobs, steps, models, corrections, users and keys.

Times are floats, in seconds since the epoch, so that every database compares them in SQL alike.
"""

from enum import StrEnum
from typing import Any, Self

from sqlalchemy import JSON, BigInteger, Enum, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tenfold.trainer.data.catalog import BUILTIN_DATASETS
from tenfold.trainer.data.files import DIGITS
from tenfold.trainer.input_spec import InputSpec
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind, JobState, StepKind, StepState


def _name_of(kind: type[StrEnum]) -> Enum:
    """A column that stores an enum's value as plain text."""
    return Enum(kind, native_enum=False, length=20, values_callable=lambda members: [m.value for m in members])


# For models of imported data sets that were trained before the input was recorded.
_ASSUMED = InputSpec("digit", reason="The model was trained by a version of Tenfold that didn't record its input.")


def input_of(dataset: str, recorded: dict[str, Any] | None) -> InputSpec:
    """The input of a model that was trained on this data set, with `input` of its metrics, if it has it.

    Raises:
        InputUnsupported: a later version of Tenfold trained it, with an input that this one can't make.
    """
    if recorded is not None:
        return InputSpec.read(recorded)
    return BUILTIN_DATASETS[dataset].input if dataset in BUILTIN_DATASETS else _ASSUMED


class Record(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON, str: String(255)}  # noqa: RUF012

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        """The record of a complete row, detached, at a tenth of the cost of a session."""
        record: Self = cls.__mapper__.class_manager.new_instance()
        record.__dict__.update(row)
        return record


class Job(Record):
    """One training, classification, import of a data set, sweep, review or comparison that a person submitted, or a
    sweep's trial.

    `parent_id` is the sweep that a trial belongs to. `owner` is who submitted the job, null without users. `done` of
    `total` counts the epochs of a training, the images of a classification or comparison, the file of an import, the
    trials of a sweep, and the corrections of a review; `detail` holds further progress, such as a training's history.
    `bytes` is the size of its files: the upload's at first, that of all files once it has ended. `error` says why a job
    failed, or why a sweep pruned a trial.
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


# During a rolling upgrade there may be jobs of other kinds, which this version leaves to later ones.
KNOWN_KIND = Job.kind.in_(list(JobKind))


# Steps that were tried and are queued again. They are few, so a partial index on them finds those with too many
# attempts without reading the whole queue. A query uses the index only if it contains this text.
REQUEUED = text("state = 'queued' AND attempts > 0")


class Step(Record):
    """The smallest piece of a job that one worker does at a time. Leases are held on steps.

    While `state` is `running`, `lease_token` names the one claim whose writes count, until `lease_expires_at`.
    `version` is the lowest version of workers that can do it (`versions.py`).
    """

    __tablename__ = "steps"
    __table_args__ = (
        UniqueConstraint("job_id", "kind", "position"),
        Index("steps_by_state", "state", "kind", "announced_at", "id"),
        Index("steps_in_line_again", "state", "attempts", sqlite_where=REQUEUED, postgresql_where=REQUEUED),
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

    `trial` marks the models of a sweep other than its best. `pinned` is what versions before aliases read as the
    default model: it follows the alias `production`, for a rolling upgrade.
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
        """A name for each of the model's outputs. Models of the first release name none: theirs are the digits."""
        return tuple(self.metrics.get("class_names", DIGITS))

    @property
    def input(self) -> InputSpec:
        """How a picture becomes the model's input.

        Raises:
            InputUnsupported: a later version of Tenfold trained it, with an input that this one can't make.
        """
        return input_of(self.dataset, self.metrics.get("input"))

    @property
    def input_recorded(self) -> bool:
        """Whether `input` is known rather than assumed."""
        return "input" in self.metrics or self.dataset in BUILTIN_DATASETS


class Alias(Record):
    """A name for a model, such as `production`; `model` is null when it names none any more.

    `version` is the number of its latest change. The database refuses to delete a model that an alias names.
    """

    __tablename__ = "aliases"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    model: Mapped[str | None] = mapped_column(String(26), ForeignKey("models.id"))
    version: Mapped[int] = mapped_column(default=0)


class AliasChange(Record):
    """A change of an alias, numbered from 1: from the model `previous` to `model`, either of them null for none.

    `changed_by` is null without users, and for changes by an upgrade. `restores` is the number of the earlier change
    that a rollback went back to.
    """

    __tablename__ = "alias_changes"

    alias: Mapped[str] = mapped_column(String(63), ForeignKey("aliases.name"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    changed_at: Mapped[float]
    changed_by: Mapped[str | None] = mapped_column(String(63))
    previous: Mapped[str | None] = mapped_column(String(26))
    model: Mapped[str | None] = mapped_column(String(26))
    reason: Mapped[str] = mapped_column(Text)
    restores: Mapped[int | None]

    @property
    def id(self) -> int:
        """For pages of a list."""
        return self.number


class Webhook(Record):
    """A URL that is notified when jobs of these kinds end; an empty list means all kinds."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[float]


class Delivery(Record):
    """One event for a webhook, written when the job ends; `payload` is as of that time.

    `next_try_at` is null once it was delivered or failed for good. A sender postpones it before it tries, so that no
    other sends the same event.
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
    """The class that a person gave an image of a classification. Deleted with the job.

    `row` and `name` are those of the results. `label` is one of the model's classes, or null for none of them.
    """

    __tablename__ = "corrections"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None]
    corrected_at: Mapped[float]


class User(Record):
    """A user.

    `max_jobs` and `max_bytes` override the settings' quotas unless null. A session is valid while it has the user's
    `session_stamp`. `served_at` is when a worker last claimed a step of theirs.
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
    """An API key; `id` is its visible part, `digest` the SHA-256 of the rest. Deleted with its owner.

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
    """A session of a signed-in user; `id` is the SHA-256 of the browser's token.

    It is valid while its `stamp` is the `session_stamp` of its owner.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (Index("sign_ins_by_owner", "owner"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    stamp: Mapped[str]
    expires_at: Mapped[float]
