"""What workers and predictors count about their work, for Prometheus; `metrics_server.py` shows it.

Declared here once each. Whatever can be read from the rows or from Redis is not counted but looked up by the web
(`web/metrics/`), so that it is true whatever was killed.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

from worker.states import StepKind

REGISTRY = CollectorRegistry()

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)

# The names of `runner.Outcome`.
OUTCOMES = ("done", "job_failed", "put_back", "given_back", "lost")

# What of a step is timed by itself.
STAGES = {
    StepKind.TRAIN: ("load", "train", "evaluate", "write"),
    StepKind.SHARD: ("load", "read", "decode", "normalise", "classify", "write", "draw"),
}

STEPS = Counter(
    "tenfold_steps",
    "Steps that were claimed, by how that ended: done, job_failed, put_back (after an error that may pass), given_back "
    "(this worker was stopping), lost (the job was cancelled, or the lease expired).",
    ["kind", "outcome"],
    registry=REGISTRY,
)
STEP_SECONDS = Histogram(
    "tenfold_step_seconds", "From a step's claim to its end.", ["kind"], buckets=SLOW, registry=REGISTRY
)
STAGE_SECONDS = Histogram(
    "tenfold_stage_seconds",
    "What one step spent in one of its stages; stages of several threads add up.",
    ["kind", "stage"],
    buckets=SLOW,
    registry=REGISTRY,
)
LEASE_EXPIRIES = Counter(
    "tenfold_lease_expiries",
    "Steps taken over from a worker that had let its lease expire: it was killed, or hung.",
    ["kind"],
    registry=REGISTRY,
)
EXHAUSTED = Counter(
    "tenfold_exhausted_jobs", "Jobs failed because one of their steps was tried too often.", registry=REGISTRY
)
ANNOUNCED_AGAIN = Counter(
    "tenfold_announced_again_steps",
    "Steps whose message was lost, or whose lease expired, and that were announced again.",
    registry=REGISTRY,
)
IMAGES = Counter(
    "tenfold_classified_images",
    "Images that a shard handed in, by outcome: answered, or error for those that cannot be read.",
    ["outcome"],
    registry=REGISTRY,
)
EPOCH_SECONDS = Histogram(
    "tenfold_epoch_seconds", "Seconds that an epoch of a training took.", buckets=SLOW, registry=REGISTRY
)
MODEL_CACHE = Counter(
    "tenfold_model_cache_requests",
    "Models asked of the warm ones of a process: hit, or miss where it had to be loaded.",
    ["result"],
    registry=REGISTRY,
)
MODEL_LOAD_SECONDS = Histogram(
    "tenfold_model_load_seconds", "Loading one model from the volume.", buckets=SLOW, registry=REGISTRY
)
PREDICTION_SECONDS = Histogram(
    "tenfold_prediction_seconds",
    "From taking one image from the line to its answer, by outcome: answered, refused (no image), failed.",
    ["outcome"],
    buckets=FAST,
    registry=REGISTRY,
)

# A series begins at 0, else the first failure would be no increase.
for _kind in StepKind:
    STEP_SECONDS.labels(_kind.value)
    LEASE_EXPIRIES.labels(_kind.value)
    for _outcome in OUTCOMES:
        STEPS.labels(_kind.value, _outcome)
for _kind, _stages in STAGES.items():
    for _stage in _stages:
        STAGE_SECONDS.labels(_kind.value, _stage)
for _outcome in ("answered", "error"):
    IMAGES.labels(_outcome)
for _outcome in ("answered", "refused", "failed"):
    PREDICTION_SECONDS.labels(_outcome)
for _result in ("hit", "miss"):
    MODEL_CACHE.labels(_result)
