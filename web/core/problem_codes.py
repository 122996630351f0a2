"""Every code of an API error: its status, what it means, and what to do about it.

The code is also the last part of the problem's `type`, the address of a page that explains it.
`docs/reference/errors.md` lists them all, which a test checks.
"""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class ProblemCode:
    """One kind of error. `title` is the same for each; `remedy` says what to do."""

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
        "Use a name of this server, or ask its administrator to add the name to TENFOLD_TRUSTED_HOSTS.",
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
        "Send the start-up token as `Authorization: Bearer …`; `tenfold token` prints it, and the web's log has it.",
    ),
    ProblemCode(
        "proxied_before_users",
        HTTPStatus.FORBIDDEN,
        "Proxied before there are users",
        "Add a user with `tenfold user add NAME --admin`, or set TENFOLD_OPEN=true if the proxy authenticates people.",
    ),
    ProblemCode("forbidden", HTTPStatus.FORBIDDEN, "Permission denied", "Ask an administrator."),
    ProblemCode(
        "insufficient_scope",
        HTTPStatus.FORBIDDEN,
        "Insufficient scope",
        "Use a key with the scope that `detail` names.",
    ),
    ProblemCode(
        "not_owner", HTTPStatus.FORBIDDEN, "Owned by someone else", "Ask the owner or an administrator to do it."
    ),
    ProblemCode("session_required", HTTPStatus.FORBIDDEN, "Session required", "Sign in; an API key is not enough."),
    ProblemCode(
        "cross_site_request", HTTPStatus.FORBIDDEN, "Cross-site request", "Send the request from a page of this server."
    ),
    ProblemCode(
        "quota_exceeded",
        HTTPStatus.FORBIDDEN,
        "Quota exceeded",
        "Wait for jobs to finish, delete some, or ask an administrator for a larger quota; then retry.",
    ),
    ProblemCode("not_found", HTTPStatus.NOT_FOUND, "Not found", "Check the address."),
    ProblemCode("job_not_found", HTTPStatus.NOT_FOUND, "Job not found", "Check the id; the job may have been deleted."),
    ProblemCode(
        "model_not_found",
        HTTPStatus.NOT_FOUND,
        "Model not found",
        "Check the id or alias; the model may have been deleted.",
    ),
    ProblemCode("alias_not_found", HTTPStatus.NOT_FOUND, "Alias not found", "Check the name against `GET /aliases`."),
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
        "Start a new upload: this one has expired, was removed, or belongs to someone else.",
    ),
    ProblemCode(
        "webhook_not_found", HTTPStatus.NOT_FOUND, "Webhook not found", "Check the id against `GET /webhooks`."
    ),
    ProblemCode("user_not_found", HTTPStatus.NOT_FOUND, "User not found", "Check the name."),
    ProblemCode("key_not_found", HTTPStatus.NOT_FOUND, "API key not found", "Check the id."),
    ProblemCode(
        "method_not_allowed", HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", "Use a method listed in `Allow`."
    ),
    ProblemCode(
        "wrong_state", HTTPStatus.CONFLICT, "Not possible in this state", "Wait, or first do what `detail` says."
    ),
    ProblemCode(
        "offset_conflict",
        HTTPStatus.CONFLICT,
        "Wrong upload offset",
        "Get `Upload-Offset` with `HEAD`, and continue from there.",
    ),
    ProblemCode("length_required", HTTPStatus.LENGTH_REQUIRED, "Length required", "Send `Content-Length`."),
    ProblemCode(
        "precondition_failed",
        HTTPStatus.PRECONDITION_FAILED,
        "Precondition failed",
        "Fetch the resource again: it has changed. Then decide whether to retry.",
    ),
    ProblemCode(
        "unsupported_tus_version",
        HTTPStatus.PRECONDITION_FAILED,
        "Unsupported tus version",
        "Send `Tus-Resumable: 1.0.0`.",
    ),
    ProblemCode(
        "body_too_large",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "Request body too large",
        "Send less; `detail` or the settings say how much is accepted.",
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
        "Send a `Content-Type` listed in the API reference.",
    ),
    ProblemCode(
        "range_not_satisfiable",
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        "Range not satisfiable",
        "Request bytes within the file; `Content-Range` has its length.",
    ),
    ProblemCode(
        "invalid_parameters",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Invalid parameters",
        "Correct the fields listed in `errors`.",
    ),
    ProblemCode(
        "idempotency_key_reused",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Idempotency key reused",
        "Use a new key for a new job, or repeat the same request.",
    ),
    ProblemCode(
        "upload_busy", HTTPStatus.LOCKED, "Upload busy", "Wait until the other request to this upload has ended."
    ),
    ProblemCode(
        "rate_limited", HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", "Wait `Retry-After` seconds, then retry."
    ),
    ProblemCode(
        "internal_error",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Internal server error",
        "Report the request ID to the administrator; the server's log has the error under it.",
    ),
    ProblemCode(
        "unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Temporarily unavailable",
        "Retry after `Retry-After` seconds.",
    ),
    ProblemCode(
        "server_busy",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Server busy",
        "Retry after `Retry-After` seconds; nothing was done.",
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
        "Retry after `Retry-After` seconds, or start a predictor.",
    ),
    ProblemCode(
        "database_unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Database unavailable",
        "Retry after `Retry-After` seconds.",
    ),
    ProblemCode(
        "redis_unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Redis unavailable",
        "Retry after `Retry-After` seconds.",
    ),
    ProblemCode(
        "volume_unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Volume unavailable",
        "Retry after `Retry-After` seconds.",
    ),
    ProblemCode(
        "later_version",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Created by a later version",
        "Wait until this server is upgraded too.",
    ),
    ProblemCode(
        "volume_full",
        HTTPStatus.INSUFFICIENT_STORAGE,
        "Volume full",
        "Delete what is no longer needed, or tell the administrator.",
    ),
)

PROBLEM_CODES: dict[str, ProblemCode] = {declared.name: declared for declared in _DECLARED}

# The first of each status is used for errors without a code of their own.
_BY_STATUS = {declared.status: declared for declared in reversed(_DECLARED)}


def code_of_status(status: int) -> ProblemCode:
    """The code for an error of this status that has none of its own."""
    if status in _BY_STATUS:
        return _BY_STATUS[HTTPStatus(status)]
    return PROBLEM_CODES["internal_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request"]
