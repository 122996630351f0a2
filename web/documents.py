"""What the API answers with, as types: the OpenAPI document is made from them, and mypy holds the answers to them."""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from trainer.input_spec import InputRecord
from trainer.recipes import Recipe
from web.problem_codes import PROBLEM_CODES
from worker.states import JobKind, JobState, StepKind


class FieldError(TypedDict):
    """What was wrong with one field."""

    field: str
    message: str


class _Problem(TypedDict):
    type: str
    code: Annotated[str, Field(json_schema_extra={"enum": list(PROBLEM_CODES)})]
    title: str
    status: int
    detail: str
    instance: str
    request_id: str


class Problem(_Problem, total=False):
    """An error, by RFC 9457. `type` is the address of a page that explains the `code`, `request_id` what the server's
    log has it under; `errors` names each field that was wrong."""

    errors: list[FieldError]


class Progress(TypedDict):
    """How far a job is: `done` of `total`, in `unit`s; `detail` depends on the kind. `eta_seconds` is the time that is
    left, by its pace so far; null before there is one, and after the end."""

    done: int
    total: int
    unit: str
    fraction: float
    eta_seconds: float | None
    detail: dict[str, Any]


class LineProgress(TypedDict):
    """How far a job is, without what its running steps have to tell."""

    done: int
    total: int
    unit: str


class _JobLinks(TypedDict):
    self: str
    files: str
    events: str


class JobLinks(_JobLinks, total=False):
    """Where to poll, follow and fetch; `review` is there for classifications."""

    review: str


class SelfLink(TypedDict):
    self: str


class JobDocument(TypedDict):
    """A job."""

    id: str
    kind: JobKind
    parent: str | None
    owner: str | None
    state: JobState
    parameters: dict[str, Any]
    source: dict[str, Any] | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    progress: Progress
    summary: dict[str, Any] | None
    error: str | None
    links: JobLinks


class JobLine(TypedDict):
    """A job in a list; `source` has the name of the file that was uploaded."""

    id: str
    kind: JobKind
    parent: str | None
    owner: str | None
    state: JobState
    parameters: dict[str, Any]
    source: dict[str, Any] | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    progress: LineProgress
    summary: dict[str, Any] | None
    error: str | None
    links: SelfLink


class JobList(TypedDict):
    """Jobs, the newest first; `next` is the address of the following page, or null."""

    jobs: list[JobLine]
    next: str | None


class FileLine(TypedDict):
    name: str
    bytes: int
    href: str


class FileList(TypedDict):
    files: list[FileLine]


class ModelLinks(TypedDict):
    self: str
    files: str


class ModelDocument(TypedDict):
    """A trained model; `default` is the one that serves where none is named."""

    id: str
    recipe: str
    dataset: str
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    created_at: str
    default: bool
    trial: bool
    links: ModelLinks


class ModelList(TypedDict):
    """Models, the newest first; `next` is the address of the following page, or null."""

    models: list[ModelDocument]
    next: str | None


class DatasetLinks(TypedDict):
    self: str
    preview: str | None


class DatasetLine(TypedDict):
    """A data set in a list; `ready` says whether it is on the volume, `known` whether it comes with Tenfold.

    `input` is how a picture becomes one of its images, null where an earlier version imported it: such a data set is
    measured when it is trained on."""

    name: str
    title: str
    classes: list[str]
    train: int
    test: int
    input: InputRecord | None
    warnings: list[str]
    known: bool
    ready: bool
    links: DatasetLinks


class DatasetDocument(DatasetLine):
    """A data set with the report of its import."""

    report: dict[str, Any] | None


class DatasetList(TypedDict):
    datasets: list[DatasetLine]


class RecipeList(TypedDict):
    recipes: list[Recipe]


class WorkerLinks(TypedDict):
    job: str


class WorkerTask(TypedDict):
    """The step of a job that a process is at: the kind of step, its place among those of its kind, and since when."""

    job: str
    step: StepKind
    position: int
    since: str
    links: WorkerLinks


class WorkerLine(TypedDict):
    """A process that runs steps, or a predictor; `device` is null while it starts."""

    name: str
    role: str
    host: str
    pid: int
    version: str
    started_at: str
    device: str | None
    memory_bytes: int
    gpu_memory_bytes: int | None
    task: WorkerTask | None


class WorkerList(TypedDict):
    workers: list[WorkerLine]


class RunnerUp(TypedDict):
    label: str
    confidence: float


class Step(TypedDict):
    name: str
    picture: str


class _Prediction(TypedDict):
    label: str
    confidence: float
    runner_up: RunnerUp | None
    probabilities: dict[str, float]
    quality: str | None
    preprocessing: Literal["digit", "resize"]
    normalisation: str
    polarity: str
    model: str
    picture: str
    milliseconds: float


class PredictionDocument(_Prediction, total=False):
    """The answer to one image; pictures are PNGs as data URLs, `steps` come where they were asked for."""

    steps: list[Step]


class CorrectionDocument(TypedDict):
    label: str | None
    corrected_at: str


class ReviewLinks(TypedDict):
    self: str
    picture: str | None
    seen: str | None


class ReviewItem(TypedDict):
    """One answer to review; `correction` is null where nobody has looked at it yet."""

    place: int
    row: int
    name: str
    label: str
    confidence: float
    runner_up: str | None
    runner_up_confidence: float | None
    quality: str | None
    novelty: float | None
    truth: str | None
    reason: str
    correction: CorrectionDocument | None
    links: ReviewLinks


class ReviewCounts(TypedDict):
    total: int
    open: int
    corrected: int


class ReviewDocument(TypedDict):
    items: list[ReviewItem]
    next: str | None
    counts: ReviewCounts
    classes: list[str]
    review_below: float


class Health(TypedDict):
    status: Literal["ok"]


class Checks(TypedDict):
    database: str
    volume: str
    redis: str
    predictor: str


class Readiness(TypedDict):
    status: Literal["ready", "not ready"]
    checks: Checks


class UploadLinks(TypedDict):
    self: str


class UploadDocument(TypedDict):
    """A resumable upload: `received` of `bytes` are on the server."""

    id: str
    name: str
    bytes: int
    received: int
    complete: bool
    expires_at: str
    links: UploadLinks


class WebhookLinks(TypedDict):
    self: str
    deliveries: str


class WebhookDocument(TypedDict):
    """An address that is told when jobs end."""

    id: str
    url: str
    kinds: list[JobKind]
    created_at: str
    links: WebhookLinks


class NewWebhook(WebhookDocument):
    """A webhook as its making answers: the only time that the secret is shown."""

    secret: str


class WebhookList(TypedDict):
    webhooks: list[WebhookDocument]


class DeliveryDocument(TypedDict):
    """One event on its way to a webhook; `next_try_at` is null when it has arrived or was given up."""

    id: str
    event: str
    job: str
    state: Literal["waiting", "delivered", "given up"]
    attempts: int
    created_at: str
    delivered_at: str | None
    next_try_at: str | None
    error: str | None


class DeliveryList(TypedDict):
    """Deliveries, the newest first; `next` is the address of the following page, or null."""

    deliveries: list[DeliveryDocument]
    next: str | None
