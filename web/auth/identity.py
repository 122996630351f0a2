"""Who sent the request: the owner of an API key, somebody signed in, or, while there are no users, anonymous."""

from dataclasses import dataclass
from typing import cast

from flask import g, request, session

from tenfold.web.auth.exposure import is_access_restricted
from tenfold.web.auth.start_token import has_token, is_token_required
from tenfold.web.core.services import opened_services
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.records import User
from tenfold.worker.db.scopes import Scope


@dataclass(frozen=True)
class Identity:
    """Who sent the request.

    Args:
        name: None while there are no users.
        scope: of the key or user.
        signed_in: whether by a session rather than by a key.
    """

    name: str | None
    scope: Scope
    signed_in: bool = False

    def may_change(self, owner: str | None) -> bool:
        """Whether they may cancel, correct or delete what `owner` owns."""
        return self.scope is Scope.ADMIN or (self.scope.covers(Scope.SUBMIT) and owner == self.name is not None)


_SESSION = "session"

# While there are no users: everybody who is let in.
ANONYMOUS = Identity(None, Scope.ADMIN)


def current_identity() -> Identity | None:
    """Who sent this request; None if unauthenticated."""
    if "identity" not in g:
        g.identity = _find()
    return cast(Identity | None, g.identity)


def begin_session(user: User) -> None:
    """Sign this browser in as a user."""
    end_session()
    session.permanent = True
    services = opened_services()
    session[_SESSION] = services.sessions.begin(user, cast(WebSettings, services.settings).session_seconds)


def end_session() -> None:
    """End it on the server too, so that copies of its cookie stop working."""
    if _SESSION in session:
        opened_services().sessions.end(session[_SESSION])
    session.clear()


def needs_no_sign_in() -> bool:
    """Whether there are no users yet, and only this machine or trusted people can reach the server."""
    services = opened_services()
    settings = cast(WebSettings, services.settings)
    return is_access_restricted(settings) and services.users.no_users_yet()


def _find() -> Identity | None:
    services = opened_services()
    shown = None
    if "Authorization" in request.headers:
        authorization = request.authorization
        bearer = authorization is not None and authorization.type == "bearer"
        shown = (authorization.token if bearer and authorization else None) or ""
        found = services.keys.find(shown)
        if found is not None:
            return Identity(found.owner, found.scope)
    elif _SESSION in session:
        user_of_session = services.sessions.find(session[_SESSION])
        if user_of_session is not None:
            return Identity(user_of_session.name, user_of_session.scope, signed_in=True)
    if not needs_no_sign_in():
        return None
    if not is_token_required() or has_token(shown):
        return ANONYMOUS
    # A local Prometheus scrapes without a token; metrics contain no personal data.
    return Identity(None, Scope.READ) if request.endpoint == "metrics.show" else None
