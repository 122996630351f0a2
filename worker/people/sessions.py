"""The store of sessions: who has signed in where, until they sign out, change the password, are removed, or it expires.

A browser keeps 256 random bits, and the table their SHA-256: whoever reads the table cannot take part in a session.
"""

import hashlib
import secrets
import time

from sqlalchemy import bindparam, delete, select

from worker.clock import Clock
from worker.database import Database
from worker.lookups import Lookup
from worker.records import SignIn, User


class SessionStore:
    """Sessions in the database. Every method is one transaction.

    Args:
        database: where the rows are.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock
        self._user_of = Lookup(
            database.engine,
            select(User.__table__)
            .join(SignIn, (SignIn.owner == User.name) & (SignIn.stamp == User.session_stamp))
            .where(SignIn.id == bindparam("id"), SignIn.expires_at > bindparam("now")),
        )

    def begin(self, user: User, seconds: float) -> str:
        """A session of this person's, and what the browser has to show; it ends after so many seconds."""
        text, now = secrets.token_hex(32), self._clock()
        begun = SignIn(id=_digest(text), owner=user.name, stamp=user.session_stamp, expires_at=now + seconds)
        with self._database.write() as session:
            session.execute(delete(SignIn).where(SignIn.expires_at <= now))
            session.add(begun)
        return text

    def find(self, text: str) -> User | None:
        """Whose session this is; None where it has ended."""
        row = self._user_of(id=_digest(text), now=self._clock())
        return None if row is None else User.of_row(row)

    def end(self, text: str) -> None:
        """End one session; whoever kept a copy of its cookie cannot use it any more."""
        with self._database.write() as session:
            session.execute(delete(SignIn).where(SignIn.id == _digest(text)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
