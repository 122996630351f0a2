"""The documents that the server answers with, where a client sees them otherwise than `web.api.documents` has them."""

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
    """`source` is what was uploaded: `name`, `bytes`, `sha256`."""

    id: str
    kind: Literal["training", "classification", "import", "sweep", "review", "comparison", "model_import", "check"]
    sweep: str | None
    owner: str | None
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    parameters: dict[str, Any]
    source: dict[str, Any] | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    progress: Progress
    summary: dict[str, Any] | None
    error: str | None
    links: dict[str, str]


class RecipeDocument(TypedDict):
    name: str
    title: str
    description: str
    origin: Literal["source", "beyond", "custom"]
    plan: dict[str, Any]
    published: dict[str, float]
    parameters: int
