"""Declares what each call takes and answers, beside its function; the OpenAPI document is generated from it.

@routes.get("/jobs/<job_id>")
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
    """A successful answer.

    Args:
        document: type of a JSON body.
        media_types: of any other body.
        headers: names from `openapi.HEADERS`.
    """

    status: int
    description: str
    document: Any = None
    example: Any = None
    media_types: Sequence[str] = ()
    headers: Sequence[str] = ()


@dataclass(frozen=True)
class FileBody:
    """A file with parameters: as a form, or as the raw body with the parameters in the query.

    Args:
        name_argument: query argument with the file name of a raw body, if there is one.
        several: whether a form may have several files.
        resumable: whether `upload`, the id of a resumable upload, may replace the file.
        required: whether there must be a file.
        second: name of another file that a form may have, whose upload the query argument `…_upload` may name instead,
            and what it is.
    """

    parameters: type[BaseModel]
    what: str
    name_argument: str | None = None
    several: bool = False
    required: bool = True
    resumable: bool = False
    second: tuple[str, str] | None = None
    example: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RawBody:
    """A body of bytes."""

    media_type: str
    description: str


@dataclass(frozen=True)
class Operation:
    """Declares a call, as a decorator of its function, whose docstring is the description.

    Args:
        query: the parameters of the query.
        body: a JSON document's declaration, or a file's.
        example: of a JSON body.
        headers: request headers that it uses, from `openapi.HEADERS`.
        problems: statuses of errors, beyond those of every call.
        public: whether it needs no authentication.
    """

    tag: str
    summary: str
    answers: Sequence[Answer] = field(kw_only=True)
    query: type[BaseModel] | None = None
    body: type[BaseModel] | FileBody | RawBody | None = None
    example: Any = None
    headers: Sequence[str] = ()
    problems: Sequence[int] = ()
    public: bool = False

    def __call__(self, view: View) -> View:
        view.operation = self  # type: ignore[attr-defined]
        return view


operation = Operation


def operation_of(view: Callable[..., Any]) -> Operation | None:
    found: Operation | None = getattr(view, "operation", None)
    return found


def queued(example: Any, document: Any) -> list[Answer]:
    """The answer of a call that queues a job."""
    return [Answer(HTTPStatus.ACCEPTED, "The job, queued.", document, example, headers=("Location", "Retry-After"))]


NO_CONTENT = [Answer(HTTPStatus.NO_CONTENT, "Done.")]
