"""Stores users."""

import re
import secrets
import time
from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from tenfold.worker.db.clock import Clock
from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.lookups import Lookup
from tenfold.worker.db.records import Job, User
from tenfold.worker.db.scopes import Scope
from tenfold.worker.errors import InvalidSubmission, UnknownUser
from tenfold.worker.people.passwords import hash_password, is_password

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

# Whether there are users is asked at every request, and rarely changes.
CACHE_SECONDS = 1.0


class UserStore:
    """Users in the database. Every method is one transaction.

    Args:
        database: where the rows are.
        clock: seconds since the epoch.
        cache_seconds: how long `no_users_yet` may return True after a user was added.
    """

    def __init__(self, database: Database, clock: Clock = time.time, cache_seconds: float = CACHE_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._cache_seconds = cache_seconds
        self._empty_until = 0.0
        self._first = Lookup(database.engine, select(User.name).limit(1))

    def add(self, name: str, password: str, scope: Scope = Scope.SUBMIT) -> User:
        """
        Raises:
            InvalidSubmission: the name or password is invalid, the name is taken, or this is the first user and not an
                administrator.
        """
        if not NAME.fullmatch(name):
            raise InvalidSubmission(
                "name",
                "Use 1 to 63 lowercase letters, digits, dots, hyphens or underscores, starting with a letter or digit",
            )
        if scope is not Scope.ADMIN and not self.any():
            raise InvalidSubmission("scope", "The first user must be an administrator")
        user = User(
            name=name,
            password_hash=hash_password(password),
            session_stamp=_new_stamp(),
            scope=scope,
            created_at=self._clock(),
        )
        try:
            with self._database.write() as session:
                session.add(user)
        except IntegrityError:
            raise InvalidSubmission("name", f"The user name {name} is already in use; choose another one") from None
        self._empty_until = 0.0
        return user

    def any(self) -> bool:
        """Whether there are users."""
        return self._first() is not None

    def no_users_yet(self) -> bool:
        """Whether there are no users; up to `cache_seconds` old."""
        if time.monotonic() < self._empty_until:
            return True
        if self.any():
            return False
        self._empty_until = time.monotonic() + self._cache_seconds
        return True

    def list(self) -> Sequence[User]:
        """All users, by name."""
        with self._database.read() as session:
            return session.scalars(select(User).order_by(User.name)).all()

    def get(self, name: str) -> User:
        """
        Raises:
            UnknownUser: there is no user of this name.
        """
        with self._database.read() as session:
            user = session.get(User, name)
        if user is None:
            raise UnknownUser(f"There is no user {name!r}; `tenfold user list` shows all users.")
        return user

    def authenticate(self, name: str, password: str) -> User | None:
        """The user with this name and password; None if either is wrong."""
        with self._database.read() as session:
            user = session.get(User, name)
        return user if is_password(password, user.password_hash if user else None) else None

    def change_password(self, name: str, password: str) -> User:
        """Set a password and end the user's sessions.

        Raises:
            UnknownUser: there is no user of this name.
            InvalidSubmission: the password is too short or too long.
        """
        self._change(name, password_hash=hash_password(password), session_stamp=_new_stamp())
        return self.get(name)

    def change(self, name: str, scope: Scope, *, max_jobs: int | None, max_bytes: int | None) -> None:
        """Set a user's scope and quota; None means the default of the settings.

        Raises:
            UnknownUser: there is no user of this name.
        """
        self._change(name, scope=scope, max_jobs=max_jobs, max_bytes=max_bytes)

    def remove(self, name: str) -> None:
        """Remove a user with all keys and sessions. Their jobs are kept, without an owner.

        Raises:
            UnknownUser: there is no user of this name.
        """
        with self._database.write() as session:
            session.execute(update(Job).where(Job.owner == name).values(owner=None, idempotency_key=None))
            removed = rows_changed(session, delete(User).where(User.name == name))
        if not removed:
            self.get(name)

    def _change(self, name: str, **values: object) -> None:
        with self._database.write() as session:
            changed = rows_changed(session, update(User).where(User.name == name).values(**values))
        if not changed:
            self.get(name)


def _new_stamp() -> str:
    return secrets.token_hex(16)
