"""The Prometheus metrics of workers and predictors; `metrics_server.py` serves them.

What the database or Redis knows is not counted here: the web reads it when it is scraped (`web/server/metrics/`), so
that a killed process makes no figure wrong.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

from tenfold.worker.db.states import StepKind

REGISTRY = CollectorRegistry()

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)

# The names of `runner.Outcome`.
OUTCOMES = ("done", "job_failed", "requeued", "released", "lost")

# The parts of a step that are timed.
STAGES = {
    StepKind.TRAIN: ("load", "train", "evaluate", "write"),
    StepKind.SHARD: ("load", "read", "decode", "normalize", "classify", "write", "draw"),
}

STEPS = Counter(
    "tenfold_steps",
    "Claimed steps by outcome: done, job_failed, requeued (after a temporary error), released (the worker was "
    "stopping), lost (the job was cancelled, or the lease expired).",
    ["kind", "outcome"],
    registry=REGISTRY,
)
STEP_SECONDS = Histogram(
    "tenfold_step_seconds", "Seconds from a step's claim to its end.", ["kind"], buckets=SLOW, registry=REGISTRY
)
STAGE_SECONDS = Histogram(
    "tenfold_stage_seconds",
    "Seconds that one step spent in one of its stages, summed over its threads.",
    ["kind", "stage"],
    buckets=SLOW,
    registry=REGISTRY,
)
LEASE_EXPIRIES = Counter(
    "tenfold_lease_expiries",
    "Steps taken over after their lease expired: the worker was killed, or hung.",
    ["kind"],
    registry=REGISTRY,
)
EXHAUSTED = Counter(
    "tenfold_exhausted_jobs", "Jobs that failed because a step used up its attempts.", registry=REGISTRY
)
REANNOUNCED = Counter(
    "tenfold_reannounced_steps",
    "Steps announced again, since their message was lost or their lease expired.",
    registry=REGISTRY,
)
IMAGES = Counter(
    "tenfold_classified_images",
    "Classified images by outcome: answered, or error if the image could not be read.",
    ["outcome"],
    registry=REGISTRY,
)
EPOCH_SECONDS = Histogram("tenfold_epoch_seconds", "Seconds per epoch of a training.", buckets=SLOW, registry=REGISTRY)
MODEL_CACHE = Counter(
    "tenfold_model_cache_requests",
    "Model requests: hit if the model was in memory, miss if it had to be loaded.",
    ["result"],
    registry=REGISTRY,
)
MODEL_LOAD_SECONDS = Histogram(
    "tenfold_model_load_seconds", "Seconds to load a model from the volume.", buckets=SLOW, registry=REGISTRY
)
PREDICTION_SECONDS = Histogram(
    "tenfold_prediction_seconds",
    "Seconds from dequeuing one image to its answer, by outcome: answered, refused (not an image), failed.",
    ["outcome"],
    buckets=FAST,
    registry=REGISTRY,
)

# Series start at 0, so that the first failure is an increase.
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
