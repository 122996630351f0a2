"""The parts of an operation object: parameters, request body, responses."""

import re
from collections.abc import Sequence
from typing import Any

from werkzeug.routing import Rule

from tenfold.web.api.documents.problems import Problem
from tenfold.web.api.openapi.headers import HEADERS, ID, PARAMETERS, REQUIRED
from tenfold.web.api.openapi.operations import JSON, Answer, FileBody, Operation, RawBody
from tenfold.web.api.openapi.schemas import Schemas, in_query

UPLOAD: dict[str, Any] = {"description": "Id of a resumable upload, instead of a file.", "schema": ID}

# Any call may answer with these.
EVERYWHERE = (401, 403, 429, 500, 503)

TITLES = {
    304: "Not modified since `If-None-Match`.",
    400: "Malformed request.",
    401: "Authentication required.",
    403: "Permission denied.",
    404: "Not found.",
    409: "Not possible in the current state.",
    411: "`Content-Length` required.",
    412: "A precondition failed.",
    413: "Body too large.",
    415: "Unsupported media type.",
    416: "Range not satisfiable.",
    422: "Invalid parameters; `errors` lists the fields.",
    423: "Another request is writing to the upload.",
    429: "Too many requests; retry after `Retry-After` seconds.",
    460: "The checksum does not match.",
    500: "Internal server error; the log has it under `request_id`.",
    503: "Temporarily unavailable; retry after `Retry-After` seconds.",
    507: "The server's volume is full.",
}


def describe_parameters(rule: Rule, declared: Operation, schemas: Schemas) -> dict[str, Any]:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PARAMETERS[name]["description"],
            "schema": PARAMETERS[name]["schema"],
        }
        for name in re.findall(r"<(?:\w+:)?(\w+)>", rule.rule)
    ]
    in_head = [
        {
            "name": name,
            "in": "header",
            "required": name in REQUIRED,
            "description": HEADERS[name]["description"],
            "schema": HEADERS[name]["schema"],
        }
        for name in declared.headers
    ]
    found = [*in_path, *_query(declared, schemas), *in_head]
    return {"parameters": found} if found else {}


def _query(declared: Operation, schemas: Schemas) -> list[dict[str, Any]]:
    model = declared.body.parameters if isinstance(declared.body, FileBody) else declared.query
    found = [] if model is None else in_query(schemas.of_model(model))
    if isinstance(declared.body, FileBody):
        for parameter in found:
            parameter["required"] = False  # may be a field of the form instead
        if declared.body.resumable:
            found.append({"name": "upload", "in": "query", **UPLOAD})
        if declared.body.second:
            name = declared.body.second[0].replace("_file", "_upload")
            found.append({"name": name, "in": "query", **UPLOAD})
        if declared.body.name_argument:
            found.append(
                {
                    "name": declared.body.name_argument,
                    "in": "query",
                    "description": "The file name of a raw body.",
                    "schema": {"type": "string"},
                }
            )
    return found


def describe_body(declared: Operation, schemas: Schemas) -> dict[str, Any]:
    body = declared.body
    if body is None:
        return {}
    if isinstance(body, RawBody):
        content: dict[str, Any] = {body.media_type: {"schema": {}}}
        return {"requestBody": {"required": True, "description": body.description, "content": content}}
    if not isinstance(body, FileBody):
        media = {"schema": schemas.reference(body, "validation"), "example": declared.example}
        return {"requestBody": {"required": True, "content": {JSON: media}}}
    file: dict[str, Any] = {"type": "string", "format": "binary", "description": body.what}
    fields = schemas.of_model(body.parameters)
    properties = {parameter["name"]: parameter["schema"] for parameter in in_query(fields)}
    if body.resumable:
        properties["upload"] = UPLOAD["schema"] | {"description": UPLOAD["description"]}
    if body.second:
        name, what = body.second
        properties[name] = {"type": "string", "format": "binary", "description": what}
    form = {
        "type": "object",
        "properties": {"file": {"type": "array", "items": file} if body.several else file, **properties},
        "required": [*(["file"] if body.required else []), *fields.get("required", [])],
    }
    content = {
        "multipart/form-data": {"schema": form, "example": {"file": "(the file)", **body.example}},
        "application/octet-stream": {"schema": {}},
    }
    return {"requestBody": {"required": body.required, "description": body.what, "content": content}}


def describe_responses(declared: Operation, schemas: Schemas) -> dict[str, Any]:
    responses = {str(answer.status): _response(answer, schemas) for answer in declared.answers}
    changes = "If-Match" in declared.headers
    if not changes and any("ETag" in answer.headers for answer in declared.answers):
        responses["304"] = {"description": TITLES[304]}
    statuses = {*declared.problems, *EVERYWHERE, *(() if declared.body is None else (400, 413, 415, 422, 507))}
    if declared.query is not None:
        statuses.add(422)
    for status in sorted(statuses):
        problem: dict[str, Any] = {
            "description": TITLES[status],
            "content": {"application/problem+json": {"schema": schemas.reference(Problem, "serialization")}},
        }
        if status in (429, 503):
            problem["headers"] = _headers(["Retry-After"])
        responses.setdefault(str(status), problem)
    return responses


def _response(answer: Answer, schemas: Schemas) -> dict[str, Any]:
    response: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        response["headers"] = _headers(answer.headers)
    if answer.document is not None:
        media: dict[str, Any] = {"schema": schemas.reference(answer.document, "serialization")}
        if answer.example is not None:
            media["example"] = answer.example
        response["content"] = {JSON: media}
    elif answer.media_types:
        shown = {"example": answer.example} if answer.example is not None else {}
        response["content"] = {name: {"schema": {}, **shown} for name in answer.media_types}
    return response


def _headers(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
