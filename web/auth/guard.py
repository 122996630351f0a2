"""Runs before each request: refuses it unless the caller has the permission that its route requires."""

from http import HTTPStatus

from flask import Response as FlaskResponse
from flask import g, redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from tenfold.web.auth.csrf import SAFE_METHODS
from tenfold.web.auth.identity import Identity, current_identity
from tenfold.web.auth.permissions import NEEDS, Permission
from tenfold.web.auth.start_token import is_token_accepted
from tenfold.web.core.problems import API_PREFIX, problem, with_code
from tenfold.web.core.services import opened_services
from tenfold.worker.datasets.datasets import get_dataset, maker_of
from tenfold.worker.errors import UnknownJob

# For larger uploads the quota is checked before the body is received.
LARGE_BYTES = 1 << 20


KEY_REQUIRED = (
    "Send a valid API key as `Authorization: Bearer tf_…`. Create one with `tenfold key add` or on the page Account; "
    "revoked and expired keys are refused."
)
TOKEN_REQUIRED = (
    "There are no users yet: send the start-up token as `Authorization: Bearer …`. `tenfold token` prints it; "
    "with containers it is in the web's log."
)
NOT_OWNER = "You don't have permission to change this: only its owner or an administrator can."


def guard() -> Response | tuple[str, int] | None:
    """None if the request is allowed, else the refusal."""
    if request.endpoint is None:
        return None  # answered with 404 or 405 by the router
    if request.method == "OPTIONS":
        return None  # no view runs: the answer is `Allow`, which is the same for everybody
    need = NEEDS.get(request.endpoint, Permission.ADMIN)
    if need is Permission.PUBLIC:
        return None
    who = current_identity()
    if who is None:
        return _ask_who()
    g.owner = who.name
    why_not = _why_not(who, need)
    if why_not is not None:
        return refuse(*why_not)
    if (request.content_length or 0) > LARGE_BYTES and not is_repeated_submission(who.name):
        opened_services().jobs.check_room(who.name, request.content_length or 0)
    return None


def is_repeated_submission(owner: str | None) -> bool:
    """Whether a job of this owner has the request's idempotency key, so that no new one is created."""
    return opened_services().jobs.with_key(request.headers.get("Idempotency-Key"), owner) is not None


def refuse(why: str, code: str = "forbidden") -> Response | tuple[str, int]:
    """`403`, as a problem or as a page."""
    if request.path.startswith(API_PREFIX):
        return problem(HTTPStatus.FORBIDDEN, why, code=code)
    return render_template("error.html", title="Permission denied", status=403, detail=why), HTTPStatus.FORBIDDEN


def check_owner(job_id: str) -> None:
    """For a job that is named in the body, not in the address.

    Raises:
        Forbidden: the caller may not change it.
    """
    who = current_identity()
    try:
        owner = opened_services().jobs.get(job_id).owner
    except UnknownJob:
        return  # the submission reports it
    if who is None or not who.may_change(owner):
        raise with_code(Forbidden(NOT_OWNER), "not_owner")


def _why_not(who: Identity, need: Permission) -> tuple[str, str] | None:
    """The reason for a refusal and its code, or None."""
    if not who.scope.covers(need.scope):
        return f"Requires the `{need.scope.value}` scope; yours is `{who.scope.value}`.", "insufficient_scope"
    if need is Permission.ACCOUNT and not who.signed_in:
        return "This requires signing in; an API key is not enough.", "session_required"
    if need is Permission.OWNER and not who.may_change(_owner()):
        return NOT_OWNER, "not_owner"
    return None


def _owner() -> str | None:
    """The owner of the job, model or data set in the address. A model has the id of its training."""
    services, named = opened_services(), request.view_args or {}
    if "job_id" in named:
        return services.jobs.get(named["job_id"]).owner
    if "model_id" in named:
        maker: str | None = services.models.get(named["model_id"]).id
    else:
        maker = maker_of(services.volume, get_dataset(services.volume, named["name"]).name)
    try:
        return services.jobs.get(maker).owner if maker else None
    except UnknownJob:
        return None


def _ask_who() -> Response:
    if request.path.startswith(API_PREFIX) or request.endpoint == "metrics.show":
        answer: FlaskResponse = (
            problem(HTTPStatus.UNAUTHORIZED, TOKEN_REQUIRED, code="start_token_required")
            if is_token_accepted()
            else problem(HTTPStatus.UNAUTHORIZED, KEY_REQUIRED)
        )
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    path = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    return redirect(url_for("sign_in.form", next=path), HTTPStatus.SEE_OTHER)
