"""The settings of web and workers: default, unit and meaning.

Each is read from the environment as `TENFOLD_` and its name in capitals, for example `TENFOLD_LEASE_SECONDS=30`.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tenfold.worker.db.states import JobKind
from tenfold.worker.observability.logs import LogFormat
from tenfold.worker.versions import STEP_VERSION

Bucket = Annotated[str, StringConstraints(pattern=r"^s3://[^/]+(/.*)?$")]


class Settings(BaseSettings):
    """What web and workers share. All of them need the same `data`, `database_url` and `redis_url`."""

    model_config = SettingsConfigDict(env_prefix="TENFOLD_", frozen=True)

    data: Bucket | Path = Field(
        Path("data"),
        description="Root of the shared volume: a directory, or `s3://bucket/prefix` (docs/operations/storage.md).",
    )
    cache: Path = Field(Path("cache"), description="Directory for local copies of files, when the volume is a bucket.")
    cache_bytes: int = Field(
        20 * 2**30,
        ge=0,
        description="Maximum size of the cache; the least recently used files are removed first, files in use never.",
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the database; default: SQLite in `tenfold.db` on the volume."
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="Redis or Valkey for the queue and live progress; `rediss://` for TLS, `unix:///path?db=0` for a "
        "socket, `redis+sentinel://host:26379,host:26379/service/0` for Sentinels.",
    )
    migrate_at_start: bool = Field(
        True,
        description="Whether web and workers migrate the database when they start; if not, they wait for "
        "`tenfold-migrate`.",
    )
    log_format: LogFormat = Field("text", description="Log format: `text`, or `json` with one object per line.")
    heartbeat_file: Path | None = Field(
        None,
        description="File that a worker or predictor touches every five seconds, for health checks.",
    )

    lease_seconds: float = Field(
        15,
        gt=0,
        description="How long a step stays claimed without renewal: the delay that a killed worker costs.",
    )
    lease_check_seconds: float = Field(
        1, gt=0, description="How often a running step checks whether it was cancelled or must be released."
    )
    reconcile_seconds: float = Field(
        3, gt=0, description="How often each worker looks for lost messages and expired leases."
    )
    max_attempts: int = Field(
        3, ge=1, description="How many times a step may be claimed without being finished before its job fails."
    )
    step_version: int = Field(
        STEP_VERSION,
        ge=1,
        description="The version of steps that this process writes and takes; only for tests of rolling upgrades.",
    )
    queue_window: int = Field(100, ge=1, description="How many queued steps have a message in Redis at a time.")
    progress_seconds: float = Field(0.5, ge=0, description="Minimum time between two writes of a step's live progress.")

    shard_images: int = Field(5000, ge=1, description="Maximum number of images in one shard of a classification.")
    shard_bytes: int = Field(
        16 * 2**20,
        ge=1,
        description="Approximate maximum size of the unpacked images in one shard: a shard of large images gets fewer "
        "of them, so that workers share the work evenly.",
    )
    max_archive_images: int = Field(1_000_000, ge=1, description="Maximum number of images in an archive or directory.")
    max_archive_files: int = Field(
        2_000_000, ge=1, description="Maximum number of files and folders in an archive or directory."
    )
    max_unpacked_bytes: int = Field(
        16 * 2**30,
        ge=1,
        description="Maximum total size of an archive's unpacked images, and of a compressed archive that a job "
        "unpacks to disk.",
    )
    max_image_bytes: int = Field(
        64 * 2**20,
        ge=1,
        description="Maximum size of one image file, unpacked; a larger one becomes an error row.",
    )

    max_model_bytes: int = Field(
        2**30, ge=2**20, description="Maximum size of an imported model, unpacked, and of each file written of it."
    )
    model_import_memory_bytes: int = Field(
        4 * 2**30,
        ge=2**30,
        description="Maximum memory of the process that opens an imported model and classifies a batch of images "
        "with it.",
    )
    model_import_seconds: float = Field(
        120, gt=0, description="Maximum processor time of that process; after four times as long it is ended too."
    )

    prediction_seconds: float = Field(10, ge=0.01, description="How long `POST /predictions` waits for an answer.")
    max_review_images: int = Field(
        10_000,
        ge=0,
        description="Maximum number of pictures kept for a classification's review: those of the least certain "
        "answers. Other answers are listed without a picture.",
    )

    keep_days: dict[JobKind, float] = Field(
        {},
        description="How many days ended jobs are kept, by kind: "
        '`{"classification": 30, "import": 7}`. Other kinds are kept.',
    )
    keep_bytes: dict[JobKind, int] = Field(
        {},
        description="Maximum total size of the files of ended jobs, by kind as in `keep_days`; the oldest jobs are "
        "removed first.",
    )
    keep_losing_models_days: float | None = Field(
        None, ge=0, description="How many days a sweep's models other than its best are kept; default: forever."
    )
    gc_seconds: float = Field(
        3600, gt=0, description="How often a worker applies these three settings, if one of them is set."
    )
    gc_safe_seconds: float = Field(
        86_400,
        ge=60,
        description="`tenfold gc` removes nothing that ended or was written less than this ago.",
    )
    key_days: int = Field(
        365,
        ge=0,
        le=3650,
        description="Days until an API key expires, unless its owner sets another number; 0: never.",
    )
    max_jobs_per_user: int = Field(
        100, ge=1, description="Maximum number of unfinished jobs per user; a sweep counts as one."
    )
    max_bytes_per_user: int = Field(
        100 * 2**30, ge=1, description="Maximum total size of the files of one user's jobs."
    )

    worker_processes: int = Field(1, ge=1, description="Steps that one worker runs at the same time.")
    max_process_bytes: int = Field(
        3 * 2**29,
        ge=2**28,
        description="A process that holds more memory than this is replaced after its step, since compiled networks "
        "stay in memory.",
    )
    threads_per_process: int = Field(
        1,
        ge=1,
        description="Threads of one operation in each process: keep the sum over all workers of a machine below its "
        "cores. `tenfold up`, which has one worker, uses all cores.",
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port for the Prometheus metrics of a worker or predictor; default: none. The predictor of "
        "`tenfold up` takes the next port.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address that the metrics port listens on.")
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto", description="Where to train: `auto` (a GPU if there is one), `cpu` or `gpu`."
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        "float32", description="Keras' dtype policy: `float32`, `mixed_float16` or `mixed_bfloat16` (for GPUs)."
    )

    @property
    def root(self) -> Path:
        """The volume's directory.

        Raises:
            ValueError: the volume is a bucket.
        """
        if isinstance(self.data, str):
            raise ValueError(f"{self.data} is a bucket; this works only on a directory.")
        return self.data

    @property
    def bucket(self) -> str | None:
        """The volume's bucket; None if the volume is a directory."""
        return self.data if isinstance(self.data, str) else None

    @property
    def resolved_database_url(self) -> URL:
        """The database URL, with its default filled in. Not a string: `?` and `%` in the volume's path are literal."""
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
        """SQLite's file cannot be in a bucket, and a path that looks like a URL is a mistake."""
        if isinstance(self.data, Path) and re.match(r"[a-z0-9]+:(/|$)", str(self.data)):
            raise ValueError(f"TENFOLD_DATA is {self.data}; give a directory, or s3://bucket/prefix.")
        if self.bucket is not None and self.database_url is None:
            raise ValueError("TENFOLD_DATA is a bucket, so TENFOLD_DATABASE_URL must name a database: PostgreSQL.")
        return self


S = TypeVar("S", bound=Settings)


def settings_or_exit(kind: type[S]) -> S:
    """Read the settings.

    Raises:
        SystemExit: some are invalid; the message says which and why.
    """
    try:
        return kind()
    except ValidationError as error:
        raise SystemExit(why_invalid(error)) from None


def why_invalid(error: ValidationError) -> str:
    """Which settings are invalid and why, a sentence for each."""
    sentences = []
    for fault in error.errors():
        reason = fault["msg"].removeprefix("Value error, ").rstrip(".")
        name = "".join(f"TENFOLD_{field}".upper() for field in fault["loc"][:1])
        # An address may hold a password.
        value = "invalid" if name.endswith("_URL") else repr(fault["input"])
        sentences.append(f"{name} is {value}: {reason}." if name else f"{reason}.")
    return " ".join(sentences)
