"""What each call of the API takes and answers, declared beside its function; `openapi.py` makes the document of it.

@api.get("/jobs/<job_id>")
@operation("Jobs", "Poll one job", query=PollOptions, answers=[Answer(200, "The job.", JobDocument, example=JOB)])
def get_job(job_id: str) -> Response:
    '''The description.'''
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel

View = TypeVar("View", bound=Callable[..., Any])

JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """One way in which a call succeeds.

    Args:
        document: type of the JSON, None where there is no body or no JSON.
        media_types: what the body is, where it is no JSON.
        headers: names of headers that matter, of those in `openapi.HEADERS`.
    """

    status: int
    description: str
    document: Any = None
    example: Any = None
    media_types: Sequence[str] = ()
    headers: Sequence[str] = ()


@dataclass(frozen=True)
class FileBody:
    """A file beside parameters: as a form, or as the raw body with the parameters in the query.

    Args:
        name_argument: which argument of the query names the raw body's file, if any does.
        several: whether a form may hold more than one file.
        resumable: whether a resumable upload may be named instead.
        required: False where something else can be named instead.
    """

    parameters: type[BaseModel]
    what: str
    name_argument: str | None = None
    several: bool = False
    required: bool = True
    resumable: bool = False
    example: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RawBody:
    """A body of bytes."""

    media_type: str
    description: str


@dataclass(frozen=True)
class Operation:
    tag: str
    summary: str
    answers: Sequence[Answer]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | FileBody | RawBody | None = None
    example: Any = None
    headers: Sequence[str] = ()
    problems: Sequence[int] = ()
    public: bool = False


def operation(
    tag: str,
    summary: str,
    *,
    answers: Sequence[Answer],
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | FileBody | RawBody | None = None,
    example: Any = None,
    headers: Sequence[str] = (),
    problems: Sequence[int] = (),
    public: bool = False,
) -> Callable[[View], View]:
    """Declare a call; its function's docstring is the description.

    Args:
        query: the parameters of the query.
        body: a JSON document's declaration, or a file's.
        example: of a JSON body.
        headers: names of request headers that it understands, of those in `openapi.HEADERS`.
        problems: statuses of problem documents, beyond those that every call can answer with.
        public: whether it needs no sign-in.
    """
    declared = Operation(tag, summary, answers, query, body, example, headers, problems, public)

    def declare(view: View) -> View:
        view.operation = declared  # type: ignore[attr-defined]
        return view

    return declare


def operation_of(view: Callable[..., Any]) -> Operation | None:
    found: Operation | None = getattr(view, "operation", None)
    return found


def queued(example: Any, document: Any) -> list[Answer]:
    """How a call answers that queues a job."""
    return [Answer(HTTPStatus.ACCEPTED, "The job, queued.", document, example, headers=("Location", "Retry-After"))]


NO_CONTENT = [Answer(HTTPStatus.NO_CONTENT, "Done; there is nothing to tell.")]
