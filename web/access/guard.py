"""Before each request: whoever asks must be who the route needs."""

from http import HTTPStatus

from flask import Response as FlaskResponse
from flask import g, redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from web.access.asker import Asker, asker
from web.access.needs import NEEDS, Need
from web.access.sites import SAFE_METHODS
from web.access.start_token import asks_for_token
from web.problems import API_PREFIX, problem, with_code
from web.services import opened_services
from worker.datasets import get_dataset, maker_of
from worker.errors import UnknownJob

# Of a larger upload it is asked before it is received whether its owner has room.
LARGE_BYTES = 1 << 20


SEND_KEY = (
    "Send an API key as `Authorization: Bearer tf_…`. `tenfold keys add` or the page Account makes one; "
    "a key that was revoked or has expired is no key."
)
SEND_TOKEN = (
    "There are no users yet: send the start-up token as `Authorization: Bearer …`. It is in the address that "
    "`tenfold up` printed, and `tenfold token` prints it; with containers it is in the web's log."
)
NOT_YOURS = "This is not yours: only its owner or an administrator may change it."


def guard() -> Response | tuple[str, int] | None:
    """Let the request through, or answer that it may not be."""
    if request.endpoint is None:
        return None  # there is no such address, which the router says
    need = NEEDS.get(request.endpoint, Need.ADMIN)
    if need is Need.PUBLIC:
        return None
    who = asker()
    if who is None:
        return _ask_who()
    g.owner = who.name
    why_not = _why_not(who, need)
    if why_not is not None:
        return refuse(*why_not)
    if (request.content_length or 0) > LARGE_BYTES and not repeats_a_submission(who.name):
        opened_services().jobs.check_room(who.name, request.content_length or 0)
    return None


def repeats_a_submission(owner: str | None) -> bool:
    """Whether the request has an idempotency key that a job of this owner has: it makes no other one."""
    return opened_services().jobs.with_key(request.headers.get("Idempotency-Key"), owner) is not None


def refuse(why: str, code: str = "forbidden") -> Response | tuple[str, int]:
    """`403`, as a problem or as a page."""
    if request.path.startswith(API_PREFIX):
        return problem(HTTPStatus.FORBIDDEN, why, code=code)
    return render_template("error.html", title="Not allowed", status=403, detail=why), HTTPStatus.FORBIDDEN


def check_owner(job_id: str) -> None:
    """For a job that the body names rather than the address.

    Raises:
        Forbidden: it is somebody else's.
    """
    who = asker()
    try:
        owner = opened_services().jobs.get(job_id).owner
    except UnknownJob:
        return  # which the submission says better
    if who is None or not who.may_change(owner):
        raise with_code(Forbidden(NOT_YOURS), "not_owner")


def _why_not(who: Asker, need: Need) -> tuple[str, str] | None:
    """The sentence, and its code."""
    if not who.scope.covers(need.scope):
        return f"Requires the `{need.scope.value}` scope; yours is `{who.scope.value}`.", "insufficient_scope"
    if need is Need.ACCOUNT and not who.signed_in:
        return "This is for people who have signed in.", "session_required"
    if need is Need.OWNER and not who.may_change(_owner()):
        return NOT_YOURS, "not_owner"
    return None


def _owner() -> str | None:
    """Whose the job, the model or the data set is that the address names. A model has the id of its training."""
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
            problem(HTTPStatus.UNAUTHORIZED, SEND_TOKEN, code="start_token_required")
            if asks_for_token()
            else problem(HTTPStatus.UNAUTHORIZED, SEND_KEY)
        )
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    path = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    return redirect(url_for("access.sign_in_form", next=path), HTTPStatus.SEE_OTHER)
