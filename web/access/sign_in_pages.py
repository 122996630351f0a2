"""Signing in and out."""

from http import HTTPStatus
from typing import cast

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web.access.asker import begin_session, end_session
from web.access.sites import redirect_here
from web.access.start_token import asks_for_token, has_token, remember_token
from web.access.throttle import SignInThrottle
from web.client.start_token import ARGUMENT
from web.services import services

access_pages = Blueprint("access", __name__)

THROTTLE = "tenfold-sign-in-throttle"

STALE = "This is not the token of this start. Open the address that the server printed when it was started last."

Page = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response


@access_pages.get("/sign-in")
def sign_in_form() -> Page:
    error = STALE if "stale" in request.args else None
    return render_template("sign_in.html", nobody=not services().users.any(), token=asks_for_token(), error=error)


@access_pages.post("/sign-in")
def sign_in() -> Page:
    """Begin a session, and go on to the page that was asked for, if it is one of ours."""
    if asks_for_token() and ARGUMENT in request.form:
        return _sign_in_by_token(request.form[ARGUMENT].strip())
    name, password = request.form.get("name", "").strip().lower(), request.form.get("password", "")
    seconds = throttle().seconds_to_wait(name, request.remote_addr or "")
    if seconds:
        return too_many_tries(seconds)
    user = services().users.authenticate(name, password)
    if user is None:
        error = "There is nobody of this name with this password."
        return render_template("sign_in.html", error=error, name=name), HTTPStatus.UNPROCESSABLE_ENTITY
    throttle().forgive(name, request.remote_addr or "")
    begin_session(user)
    return redirect_here(request.args.get("next"))


def _sign_in_by_token(token: str) -> Page:
    if not has_token(token):
        return render_template("sign_in.html", token=True, nobody=True, error=STALE), HTTPStatus.UNPROCESSABLE_ENTITY
    remember_token()
    return redirect_here(request.args.get("next"))


@access_pages.post("/sign-out")
def sign_out() -> Page:
    end_session()
    return redirect(url_for("access.sign_in_form"), HTTPStatus.SEE_OTHER)


def too_many_tries(seconds: int) -> Page:
    error = f"Too many tries. Try again in {-(-seconds // 60)} minutes."
    return render_template("sign_in.html", error=error), HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(seconds)}


def throttle() -> SignInThrottle:
    return cast(SignInThrottle, current_app.extensions[THROTTLE])
