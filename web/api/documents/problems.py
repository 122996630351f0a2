"""Errors, by RFC 9457."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from tenfold.web.core.problem_codes import PROBLEM_CODES


class FieldError(TypedDict):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(TypedDict):
    """An error. `type` is the address of a page that explains the `code`; the server's log has the error under
    `request_id`; `errors` lists the invalid fields."""

    type: str
    code: Annotated[str, Field(json_schema_extra={"enum": list(PROBLEM_CODES)})]
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: NotRequired[list[FieldError]]
