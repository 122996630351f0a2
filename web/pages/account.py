"""The page of the signed-in user: API keys, password and quota."""

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tenfold.web.auth.identity import begin_session, current_identity
from tenfold.web.core.services import services, settings
from tenfold.web.pages.sign_in import throttle, too_many_attempts
from tenfold.worker.db.records import User
from tenfold.worker.db.scopes import Scope, lesser
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.people.quotas import Quota

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
def index() -> Response:
    return _page()


@blueprint.post("/password")
def change_password() -> Response:
    """Change the password; all other sessions of the user end."""
    user = _user()
    seconds = throttle().seconds_to_wait(user.name, request.remote_addr or "")
    if seconds:
        return make_response(too_many_attempts(seconds))
    if services().users.authenticate(user.name, request.form.get("current", "")) is None:
        return _page(HTTPStatus.UNPROCESSABLE_ENTITY, current_error="Incorrect password.")
    throttle().forgive(user.name, request.remote_addr or "")
    try:
        begin_session(services().users.change_password(user.name, request.form.get("password", "")))
    except InvalidSubmission as error:
        return _page(HTTPStatus.UNPROCESSABLE_ENTITY, password_error=str(error))
    return _page(changed=True)


@blueprint.post("/keys")
def add_key() -> Response:
    """Create a key and show it this one time."""
    user = _user()
    try:
        scope = lesser(Scope(request.form.get("scope", Scope.SUBMIT)), user.scope)
        days = request.form.get("days", settings().key_days, type=int)
        _, text = services().keys.add(user.name, request.form.get("name", "").strip(), scope, days=days)
    except InvalidSubmission as error:
        return _page(HTTPStatus.UNPROCESSABLE_ENTITY, key_error=str(error))
    except ValueError:
        return _page(HTTPStatus.UNPROCESSABLE_ENTITY, key_error="Unknown scope.")
    return _page(new_key=text)


@blueprint.post("/keys/<key_id>/revoke")
def revoke_key(key_id: str) -> Response:
    services().keys.revoke(key_id, _user().name)
    return redirect(url_for("account.index"), HTTPStatus.SEE_OTHER)


def _days_offered() -> list[tuple[int, str]]:
    """The choices of an expiry in days, including that of the settings."""
    days = sorted({7, 30, 90, 365, settings().key_days} - {0})
    return [*((count, f"{count} days") for count in days), (0, "never")]


def _user() -> User:
    who = current_identity()
    assert who is not None
    assert who.name is not None
    return services().users.get(who.name)


def _page(status: HTTPStatus = HTTPStatus.OK, **shown: object) -> Response:
    user = _user()
    response = make_response(
        render_template(
            "account.html",
            user=user,
            keys=services().keys.list(user.name),
            days=_days_offered(),
            key_days=settings().key_days,
            now=services().clock(),
            used=services().jobs.usage(user.name),
            quota=Quota(settings().max_jobs_per_user, settings().max_bytes_per_user).of(user),
            scopes=[scope.value for scope in Scope if user.scope.covers(scope)],
            **shown,
        ),
        status,
    )
    response.headers["Cache-Control"] = "no-store"
    return response
