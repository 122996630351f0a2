"""Who is asking: the owner of an API key, somebody who has signed in, or, while there are no users, anybody."""

from dataclasses import dataclass
from typing import cast

from flask import g, request, session

from web.access.reach import reaches_few
from web.access.start_token import has_token, requires_token
from web.services import opened_services
from web.settings import WebSettings
from worker.people.scopes import Scope
from worker.records import User


@dataclass(frozen=True)
class Asker:
    """Whoever sent the request.

    Args:
        name: None while there are no users.
        scope: what they may do with what they showed.
        signed_in: whether that was a session, rather than a key.
    """

    name: str | None
    scope: Scope
    signed_in: bool = False

    def may_change(self, owner: str | None) -> bool:
        """Whether they may cancel, correct or delete what somebody owns."""
        return self.scope is Scope.ADMIN or (self.scope.covers(Scope.SUBMIT) and owner == self.name is not None)


_SESSION = "session"

# Whoever comes while there are no users, and may.
ANYBODY = Asker(None, Scope.ADMIN)


def asker() -> Asker | None:
    """Who sent this request; None for a stranger."""
    if "asker" not in g:
        g.asker = _find()
    return cast(Asker | None, g.asker)


def begin_session(user: User) -> None:
    """Whoever sent this request is this person from now on."""
    end_session()
    session.permanent = True
    services = opened_services()
    session[_SESSION] = services.sessions.begin(user, cast(WebSettings, services.settings).session_seconds)


def end_session() -> None:
    """End it on the server, so that no copy of its cookie is of use."""
    if _SESSION in session:
        opened_services().sessions.end(session[_SESSION])
    session.clear()


def needs_no_sign_in() -> bool:
    """Nobody is asked who they are while there are no users, and only this machine, or whoever may, gets here."""
    services = opened_services()
    settings = cast(WebSettings, services.settings)
    return reaches_few(settings) and services.users.nobody_yet()


def _find() -> Asker | None:
    services = opened_services()
    shown = None
    if "Authorization" in request.headers:
        authorization = request.authorization
        bearer = authorization is not None and authorization.type == "bearer"
        shown = (authorization.token if bearer and authorization else None) or ""
        found = services.keys.find(shown)
        if found is not None:
            return Asker(found.owner, found.scope)
    elif _SESSION in session:
        user_of_session = services.sessions.find(session[_SESSION])
        if user_of_session is not None:
            return Asker(user_of_session.name, user_of_session.scope, signed_in=True)
    if not needs_no_sign_in():
        return None
    if not requires_token() or has_token(shown):
        return ANYBODY
    # Prometheus beside the server asks without a token; the figures name nobody.
    return Asker(None, Scope.READ) if request.endpoint == "metrics.show" else None
