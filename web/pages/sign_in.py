"""Signing in and out."""

import math
from http import HTTPStatus
from typing import cast

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tenfold.client.start_token import ARGUMENT
from tenfold.web.auth.csrf import redirect_here
from tenfold.web.auth.identity import begin_session, end_session
from tenfold.web.auth.start_token import has_token, is_token_accepted, remember_token
from tenfold.web.auth.throttle import THROTTLE, SignInThrottle
from tenfold.web.core.services import services

blueprint = Blueprint("sign_in", __name__)


STALE = "Invalid start-up token. Open the address that the server printed when it was last started."


@blueprint.get("/sign-in")
def form() -> ResponseReturnValue:
    error = STALE if "stale" in request.args else None
    return render_template("sign_in.html", nobody=not services().users.any(), token=is_token_accepted(), error=error)


@blueprint.post("/sign-in")
def submit() -> ResponseReturnValue:
    """Start a session and redirect to the requested page, if it is on this server."""
    if is_token_accepted() and ARGUMENT in request.form:
        return _sign_in_by_token(request.form[ARGUMENT].strip())
    name, password = request.form.get("name", "").strip().lower(), request.form.get("password", "")
    seconds = throttle().seconds_to_wait(name, request.remote_addr or "")
    if seconds:
        return too_many_attempts(seconds)
    user = services().users.authenticate(name, password)
    if user is None:
        error = "Incorrect username or password."
        return render_template("sign_in.html", error=error, name=name), HTTPStatus.UNPROCESSABLE_ENTITY
    throttle().forgive(name, request.remote_addr or "")
    begin_session(user)
    return redirect_here(request.args.get("next"))


def _sign_in_by_token(token: str) -> ResponseReturnValue:
    if not has_token(token):
        return render_template("sign_in.html", token=True, nobody=True, error=STALE), HTTPStatus.UNPROCESSABLE_ENTITY
    remember_token()
    return redirect_here(request.args.get("next"))


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    end_session()
    return redirect(url_for("sign_in.form"), HTTPStatus.SEE_OTHER)


def too_many_attempts(seconds: int) -> ResponseReturnValue:
    minutes = math.ceil(seconds / 60)
    error = f"Too many failed attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
    return render_template("sign_in.html", error=error), HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(seconds)}


def throttle() -> SignInThrottle:
    return cast(SignInThrottle, current_app.extensions[THROTTLE])
