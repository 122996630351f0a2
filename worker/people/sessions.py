"""Stores sessions, which end by sign-out, a password change, removal of the user, or expiry.

The browser has 256 random bits, the table their SHA-256: the table does not reveal session cookies.
"""

import hashlib
import secrets
import time

from sqlalchemy import bindparam, delete, select

from tenfold.worker.db.clock import Clock
from tenfold.worker.db.database import Database
from tenfold.worker.db.lookups import Lookup
from tenfold.worker.db.records import SignIn, User


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
        """Start a session that expires after `seconds`. Returns the text for the cookie."""
        text, now = secrets.token_hex(32), self._clock()
        begun = SignIn(id=_digest(text), owner=user.name, stamp=user.session_stamp, expires_at=now + seconds)
        with self._database.write() as session:
            session.execute(delete(SignIn).where(SignIn.expires_at <= now))
            session.add(begun)
        return text

    def find(self, text: str) -> User | None:
        """The user of this session; None if it has ended."""
        row = self._user_of(id=_digest(text), now=self._clock())
        return None if row is None else User.of_row(row)

    def end(self, text: str) -> None:
        """End a session; copies of its cookie become invalid."""
        with self._database.write() as session:
            session.execute(delete(SignIn).where(SignIn.id == _digest(text)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
