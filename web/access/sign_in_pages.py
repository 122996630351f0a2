"""Signing in and out."""

from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web.access.asker import begin_session, end_session
from web.access.throttle import SignInThrottle
from web.services import services

access_pages = Blueprint("access", __name__)

THROTTLE = "tenfold-sign-in-throttle"

Page = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response


@access_pages.get("/sign-in")
def sign_in_form() -> Page:
    return render_template("sign_in.html", nobody=not services().users.any())


@access_pages.post("/sign-in")
def sign_in() -> Page:
    """Begin a session, and go on to the page that was asked for, if it is one of ours."""
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
    return redirect(local_path(request.args.get("next")), HTTPStatus.SEE_OTHER)


@access_pages.post("/sign-out")
def sign_out() -> Page:
    end_session()
    return redirect(url_for("access.sign_in_form"), HTTPStatus.SEE_OTHER)


def too_many_tries(seconds: int) -> Page:
    error = f"Too many tries. Try again in {-(-seconds // 60)} minutes."
    return render_template("sign_in.html", error=error), HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(seconds)}


def throttle() -> SignInThrottle:
    return cast(SignInThrottle, current_app.extensions[THROTTLE])


def local_path(address: str | None) -> str:
    """The address if it is a path on this server, else the start page: no link may lead through us to another site."""
    if not address or not address.startswith("/") or address[1:2] in ("/", "\\") or not address.isprintable():
        return "/"
    parts = urlsplit(address)
    return "/" if parts.scheme or parts.netloc else address
