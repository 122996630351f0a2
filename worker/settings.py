"""Every setting that a person may change, declared once: default, unit and meaning.

Each is read from the environment as `TENFOLD_` and its name in capitals, e.g. `TENFOLD_LEASE_SECONDS=30`.
"""

import re
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from trainer.hardware import Device, Precision
from worker.logs import LogFormat
from worker.states import JobKind
from worker.versions import STEP_VERSION

Bucket = Annotated[str, StringConstraints(pattern=r"^s3://[^/]+(/.*)?$")]


class Settings(BaseSettings):
    """What web and workers share. Both must be given the same `data`, `database_url` and `redis_url`."""

    model_config = SettingsConfigDict(env_prefix="TENFOLD_", frozen=True)

    data: Bucket | Path = Field(
        Path("data"), description="Root of the shared volume: a directory, or `s3://bucket/prefix` (docs/storage.md)."
    )
    cache: Path = Field(
        Path("cache"), description="Where a host keeps copies of what it needs of a volume that is a bucket."
    )
    cache_bytes: int = Field(
        20 * 2**30,
        ge=0,
        description="How much is kept there; what was used longest ago goes first, and nothing that is in use.",
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the job table; default: SQLite in `tenfold.db` on the volume."
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="Redis or Valkey for the queue and live progress; `rediss://` for TLS, `unix:///path?db=0` for a "
        "socket, `redis+sentinel://host:26379,host:26379/service/0` for Sentinels.",
    )
    migrate_at_start: bool = Field(
        True,
        description="Whether web and workers bring the database's tables to their version when they start; if not, "
        "they wait until `tenfold-migrate` has.",
    )
    log_format: LogFormat = Field(
        "text", description="How web, workers and predictors log: `text`, or `json` with one object a line."
    )
    heartbeat_file: Path | None = Field(
        None,
        description="A file that a worker or predictor touches every few seconds while it lives, for health checks.",
    )

    lease_seconds: float = Field(
        15,
        gt=0,
        description="How long a claimed step stays claimed without renewal: the cost of a killed worker.",
    )
    lease_check_seconds: float = Field(
        1, gt=0, description="How often a running step looks whether it was cancelled or must be given back."
    )
    heal_seconds: float = Field(
        3, gt=0, description="How often each worker looks for lost messages and expired leases."
    )
    max_attempts: int = Field(
        3, ge=1, description="How often one step may be claimed and not finished before its job fails."
    )
    step_version: int = Field(
        STEP_VERSION,
        ge=1,
        description="As which version of workers this process passes itself off; for tests of updates, never else.",
    )
    queue_window: int = Field(
        100, ge=1, description="How many queued steps the healer keeps announced in Redis at a time."
    )
    progress_seconds: float = Field(0.5, ge=0, description="Least time between two writes of a step's live figures.")

    shard_images: int = Field(5000, ge=1, description="Most images in one shard of a classification.")
    shard_bytes: int = Field(
        16 * 2**20,
        ge=1,
        description="About how many bytes of images, unpacked, a shard holds at most: of large ones it gets fewer, so "
        "that several workers share the work evenly, and a killed one costs a second.",
    )
    max_archive_images: int = Field(1_000_000, ge=1, description="Most images accepted in one archive or directory.")
    max_archive_files: int = Field(
        2_000_000, ge=1, description="Most files of any kind, and folders, in one archive or directory."
    )
    max_unpacked_bytes: int = Field(
        16 * 2**30,
        ge=1,
        description="Most bytes that an archive's images unpack to together, and that one compressed tar takes on disk "
        "while its job is worked on.",
    )
    max_image_bytes: int = Field(
        64 * 2**20,
        ge=1,
        description="Largest size of one image file, unpacked; a larger one becomes an error row.",
    )

    prediction_seconds: float = Field(
        10, ge=0.01, description="How long the answer to one image (`POST /predictions`) is waited for."
    )
    max_review_images: int = Field(
        10_000,
        ge=0,
        description="Doubtful images of a classification, the least certain, of which pictures are kept for the "
        "review; the others are listed without.",
    )

    keep_days: dict[JobKind, float] = Field(
        {},
        description="How many days ended jobs are kept, for each kind: "
        '`{"classification": 30, "import": 7}`. Kinds that are not named are kept.',
    )
    keep_bytes: dict[JobKind, int] = Field(
        {},
        description="How many bytes the files of ended jobs may take, for each kind, as `keep_days`; the oldest go "
        "first.",
    )
    keep_losing_models_days: float | None = Field(
        None, ge=0, description="How many days the models of a sweep are kept that are not its best; default: for ever."
    )
    gc_seconds: float = Field(
        3600, gt=0, description="How often a worker removes what these three no longer want, where one of them is set."
    )
    gc_safe_seconds: float = Field(
        86_400,
        ge=60,
        description="Nothing that ended or was written less than this ago is ever removed by `tenfold gc`.",
    )
    key_days: int = Field(
        365,
        ge=0,
        le=3650,
        description="After how many days an API key expires, where its maker says nothing; 0: never.",
    )
    max_jobs_per_user: int = Field(
        100, ge=1, description="Unfinished jobs that one user may have at once; a sweep is one."
    )
    max_bytes_per_user: int = Field(
        100 * 2**30, ge=1, description="Bytes that the files of one user's jobs may take on the volume."
    )

    worker_processes: int = Field(1, ge=1, description="Steps that one worker runs at the same time.")
    max_process_bytes: int = Field(
        3 * 2**29,
        ge=2**28,
        description="A process that held more memory than this is replaced after its step: compiled nets stay in it.",
    )
    threads_per_process: int = Field(
        1,
        ge=1,
        description="Threads of one operation in each process, so that workers that share a machine do not fight. "
        "`tenfold up`, which has one worker, shares out all cores.",
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port on which a worker and a predictor show their metrics to Prometheus; default: they do not. "
        "The predictor of `tenfold up` takes the next one.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address of that port.")
    device: Device = Field("auto", description="Where to train: `auto` takes a GPU where there is one; `cpu`; `gpu`.")
    precision: Precision = Field(
        "float32", description="Keras' dtype policy: `float32`, `mixed_float16` or `mixed_bfloat16` (for GPUs)."
    )

    @property
    def root(self) -> Path:
        """The directory that the volume is.

        Raises:
            ValueError: it is a bucket.
        """
        if isinstance(self.data, str):
            raise ValueError(f"{self.data} is a bucket; this works on a directory only.")
        return self.data

    @property
    def bucket(self) -> str | None:
        """The bucket that the volume is; None where it is a directory."""
        return self.data if isinstance(self.data, str) else None

    @property
    def resolved_database_url(self) -> URL:
        """The database URL with its default filled in. Not text: `?` and `%` in the volume's path mean nothing."""
        if self.database_url is not None:
            return make_url(self.database_url)
        return URL.create("sqlite", database=str(self.root.resolve() / "tenfold.db"))

    @field_validator("database_url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        try:
            make_url(url or "sqlite://")
        except ArgumentError as error:
            raise ValueError("expected an SQLAlchemy URL, postgresql://user:password@host/database") from error
        return url

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """SQLite's file cannot be in a bucket; and what looks like a bucket is no directory."""
        if isinstance(self.data, Path) and re.match(r"[a-z0-9]+:(/|$)", str(self.data)):
            raise ValueError(f"TENFOLD_DATA is {self.data}; it may be a directory, or s3://bucket/prefix.")
        if self.bucket is not None and self.database_url is None:
            raise ValueError("TENFOLD_DATA is a bucket, so TENFOLD_DATABASE_URL must name a database: PostgreSQL.")
        return self


S = TypeVar("S", bound=Settings)


def settings_or_exit(kind: type[S]) -> S:
    """The settings of a process that cannot do without.

    Raises:
        SystemExit: some are invalid; its message says which and why.
    """
    try:
        return kind()
    except ValidationError as error:
        raise SystemExit(why_invalid(error)) from None


def why_invalid(error: ValidationError) -> str:
    """Which settings of the environment are invalid and why, a sentence for each."""
    sentences = []
    for fault in error.errors():
        reason = fault["msg"].removeprefix("Value error, ").rstrip(".")
        name = "".join(f"TENFOLD_{field}".upper() for field in fault["loc"][:1])
        # An address may hold a password.
        value = "invalid" if name.endswith("_URL") else repr(fault["input"])
        sentences.append(f"{name} is {value}: {reason}." if name else f"{reason}.")
    return " ".join(sentences)
