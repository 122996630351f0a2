"""The documents that the server answers with, typed; docs/api.md says what each part means. A server may add more."""

from typing import Any, Literal, NotRequired, TypedDict


class Progress(TypedDict):
    """`fraction`, `eta_seconds` and `detail` come with one job, not with a list of them."""

    done: int
    total: int
    unit: str
    fraction: NotRequired[float]
    eta_seconds: NotRequired[float | None]
    detail: NotRequired[dict[str, Any]]


class JobDocument(TypedDict):
    """`source`, what was uploaded, and `started_at` come with one job, not with a list of them."""

    id: str
    kind: Literal["training", "classification", "import", "sweep", "review"]
    parent: str | None
    owner: str | None
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    parameters: dict[str, Any]
    source: NotRequired[dict[str, Any] | None]
    created_at: str
    started_at: NotRequired[str | None]
    finished_at: str | None
    progress: Progress
    summary: dict[str, Any] | None
    error: str | None
    links: dict[str, str]


class FileDocument(TypedDict):
    name: str
    bytes: int
    href: str


class ModelDocument(TypedDict):
    id: str
    recipe: str
    dataset: str
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    created_at: str
    default: bool
    trial: bool
    links: dict[str, str]


class DatasetDocument(TypedDict):
    name: str
    title: str
    classes: list[str]
    train: int
    test: int
    warnings: list[str]
    known: bool
    ready: bool
    links: dict[str, str | None]


class RecipeDocument(TypedDict):
    name: str
    title: str
    description: str
    origin: Literal["source", "beyond", "custom"]
    plan: dict[str, Any]
    published: dict[str, float]
    parameters: int


class Answer(TypedDict):
    label: str
    confidence: float


class PredictionDocument(TypedDict):
    """`picture` is the 28×28 one that the model saw, a PNG as a data URL."""

    label: str
    confidence: float
    runner_up: Answer
    probabilities: dict[str, float]
    quality: str | None
    normalisation: str
    polarity: str
    model: str
    picture: str
    milliseconds: float


class Correction(TypedDict):
    label: str | None
    corrected_at: str


class ReviewItem(TypedDict):
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
    correction: Correction | None
    links: dict[str, str | None]


class TaskDocument(TypedDict):
    job: str
    step: str
    position: int
    since: str
    links: dict[str, str]


class WorkerDocument(TypedDict):
    """`device` is None while it starts, `task` while it has nothing to do."""

    name: str
    role: Literal["worker", "predictor"]
    host: str
    pid: int
    version: str
    started_at: str
    device: str | None
    memory_bytes: int
    gpu_memory_bytes: int | None
    task: TaskDocument | None


class UploadDocument(TypedDict):
    """`received` of `bytes` are on the server."""

    id: str
    name: str
    bytes: int
    received: int
    complete: bool
    expires_at: str
    links: dict[str, str]


class WebhookDocument(TypedDict):
    """Without `kinds`, it is told of jobs of all kinds."""

    id: str
    url: str
    kinds: list[str]
    created_at: str
    links: dict[str, str]


class NewWebhookDocument(WebhookDocument):
    """`secret` is never shown again."""

    secret: str


class DeliveryDocument(TypedDict):
    """`next_try_at` is None once it has arrived or was given up."""

    id: str
    event: str
    job: str
    state: Literal["waiting", "delivered", "given up"]
    attempts: int
    created_at: str
    delivered_at: str | None
    next_try_at: str | None
    error: str | None
