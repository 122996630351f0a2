"""Every code that an error of the API can have: what it means, its status, and what to do about it.

A code is also the last part of the problem's `type`, the address of a page that says the same (`problem_pages.py`).
`docs/errors.md` has them all, which a test holds to this list.
"""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class ProblemCode:
    """One kind of error. `title` is the same for each error of the kind; `remedy` is a sentence for its reader."""

    name: str
    status: HTTPStatus
    title: str
    remedy: str


_DECLARED = (
    ProblemCode("bad_request", HTTPStatus.BAD_REQUEST, "Malformed request", "Correct the request as `detail` says."),
    ProblemCode(
        "unknown_host",
        HTTPStatus.BAD_REQUEST,
        "Unknown host name",
        "Use a name of this server, or have whoever runs it add the name to TENFOLD_TRUSTED_HOSTS.",
    ),
    ProblemCode(
        "unauthenticated",
        HTTPStatus.UNAUTHORIZED,
        "Authentication required",
        "Send a valid API key as `Authorization: Bearer tf_…`.",
    ),
    ProblemCode(
        "start_token_required",
        HTTPStatus.UNAUTHORIZED,
        "Start-up token required",
        "Send the start-up token as `Authorization: Bearer …`: `tenfold token` or the web's log has it.",
    ),
    ProblemCode(
        "proxied_before_users",
        HTTPStatus.FORBIDDEN,
        "Proxied, and no users yet",
        "Add a user with `tenfold users add NAME --admin`, or set TENFOLD_OPEN=true where the proxy asks who it is.",
    ),
    ProblemCode("forbidden", HTTPStatus.FORBIDDEN, "Not allowed", "Ask an administrator."),
    ProblemCode(
        "insufficient_scope",
        HTTPStatus.FORBIDDEN,
        "Insufficient scope",
        "Use a key with the scope that `detail` names.",
    ),
    ProblemCode(
        "not_owner", HTTPStatus.FORBIDDEN, "Owned by someone else", "Ask the owner or an administrator to do it."
    ),
    ProblemCode(
        "session_required", HTTPStatus.FORBIDDEN, "Session required", "Sign in; this cannot be done with an API key."
    ),
    ProblemCode(
        "cross_site_request", HTTPStatus.FORBIDDEN, "Cross-site request", "Send the request from a page of this server."
    ),
    ProblemCode(
        "quota_exceeded",
        HTTPStatus.FORBIDDEN,
        "Quota exceeded",
        "Wait for jobs to finish or delete some, or ask an administrator for a larger quota; then send it again.",
    ),
    ProblemCode("not_found", HTTPStatus.NOT_FOUND, "Not found", "Check the address."),
    ProblemCode("job_not_found", HTTPStatus.NOT_FOUND, "Job not found", "Check the id; the job may have been deleted."),
    ProblemCode(
        "model_not_found", HTTPStatus.NOT_FOUND, "Model not found", "Check the id; the model may have been deleted."
    ),
    ProblemCode(
        "dataset_not_found", HTTPStatus.NOT_FOUND, "Data set not found", "Check the name against `GET /datasets`."
    ),
    ProblemCode("file_not_found", HTTPStatus.NOT_FOUND, "File not found", "Check the name against the list of files."),
    ProblemCode(
        "row_not_found", HTTPStatus.NOT_FOUND, "Row not found", "Check the row against `GET /jobs/{id}/review`."
    ),
    ProblemCode(
        "upload_not_found",
        HTTPStatus.NOT_FOUND,
        "Upload not found",
        "Start a new upload; this one has expired, was removed, or is someone else's.",
    ),
    ProblemCode(
        "webhook_not_found", HTTPStatus.NOT_FOUND, "Webhook not found", "Check the id against `GET /webhooks`."
    ),
    ProblemCode("user_not_found", HTTPStatus.NOT_FOUND, "User not found", "Check the name."),
    ProblemCode("key_not_found", HTTPStatus.NOT_FOUND, "API key not found", "Check the id."),
    ProblemCode(
        "method_not_allowed", HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", "Use a method that `Allow` names."
    ),
    ProblemCode(
        "wrong_state", HTTPStatus.CONFLICT, "Not possible in this state", "Wait, or do first what `detail` says."
    ),
    ProblemCode(
        "offset_conflict",
        HTTPStatus.CONFLICT,
        "Wrong upload offset",
        "Ask for `Upload-Offset` with `HEAD`, and go on there.",
    ),
    ProblemCode("length_required", HTTPStatus.LENGTH_REQUIRED, "Length required", "Send `Content-Length`."),
    ProblemCode(
        "precondition_failed",
        HTTPStatus.PRECONDITION_FAILED,
        "Precondition failed",
        "Fetch the current state, and decide again: it has changed since.",
    ),
    ProblemCode(
        "unsupported_tus_version",
        HTTPStatus.PRECONDITION_FAILED,
        "Unsupported version of tus",
        "Send `Tus-Resumable: 1.0.0`.",
    ),
    ProblemCode(
        "body_too_large",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "Request body too large",
        "Send less at once; the settings say how much is accepted.",
    ),
    ProblemCode(
        "upload_too_long",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "More bytes than announced",
        "Start a new upload with the right `Upload-Length`.",
    ),
    ProblemCode(
        "unsupported_media_type",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Unsupported media type",
        "Send the `Content-Type` that the reference names.",
    ),
    ProblemCode(
        "range_not_satisfiable",
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        "Range not satisfiable",
        "Ask for bytes within the file; `Content-Range` says how long it is.",
    ),
    ProblemCode(
        "invalid_parameters",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Invalid parameters",
        "Correct the fields that `errors` names.",
    ),
    ProblemCode(
        "idempotency_key_reused",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Idempotency key reused",
        "Use a new key for a new job, or send the same request as before.",
    ),
    ProblemCode("upload_busy", HTTPStatus.LOCKED, "Upload busy", "Wait for the other request to this upload to end."),
    ProblemCode(
        "rate_limited", HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", "Wait for as long as `Retry-After` says."
    ),
    ProblemCode(
        "internal_error",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Internal server error",
        "Tell whoever runs the server the request ID: its log has the error under it.",
    ),
    ProblemCode(
        "unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Temporarily unavailable",
        "Send it again after `Retry-After` seconds.",
    ),
    ProblemCode(
        "server_busy",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Server busy",
        "Send it again after `Retry-After` seconds; nothing was done.",
    ),
    ProblemCode(
        "too_many_streams",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Too many open streams",
        "Poll the job with `GET /jobs/{id}` instead.",
    ),
    ProblemCode(
        "predictor_unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "No predictor available",
        "Send it again after `Retry-After` seconds, or have a predictor started.",
    ),
    ProblemCode(
        "database_unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Database unavailable",
        "Send it again after `Retry-After` seconds.",
    ),
    ProblemCode(
        "redis_unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Redis unavailable",
        "Send it again after `Retry-After` seconds.",
    ),
    ProblemCode(
        "volume_unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Volume unavailable",
        "Send it again after `Retry-After` seconds.",
    ),
    ProblemCode(
        "later_version",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Made by a later version",
        "Wait until this server is updated too.",
    ),
    ProblemCode(
        "volume_full",
        HTTPStatus.INSUFFICIENT_STORAGE,
        "Volume full",
        "Delete what is no longer needed, or tell whoever runs the server.",
    ),
)

PROBLEM_CODES: dict[str, ProblemCode] = {declared.name: declared for declared in _DECLARED}

# The first one of each status stands for errors that say nothing more exact.
_BY_STATUS = {declared.status: declared for declared in reversed(_DECLARED)}


def code_of_status(status: int) -> ProblemCode:
    """What an error of this status is that has no code of its own."""
    if status in _BY_STATUS:
        return _BY_STATUS[HTTPStatus(status)]
    return PROBLEM_CODES["internal_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request"]
