"""The store of people: add, look up, change, remove."""

import re
import secrets
import time
from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from worker.clock import Clock
from worker.database import Database, rows_changed
from worker.errors import InvalidSubmission, UnknownUser
from worker.lookups import Lookup
from worker.people.passwords import hash_password, is_password
from worker.people.scopes import Scope
from worker.records import Job, User

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

# That there is nobody is asked before every request, and seldom changes.
BELIEVED_SECONDS = 1.0


class UserStore:
    """People in the database. Every method is one transaction.

    Args:
        database: where the rows are.
        clock: seconds since the epoch.
        believed_seconds: how long `nobody_yet` may say what was so before.
    """

    def __init__(
        self, database: Database, clock: Clock = time.time, believed_seconds: float = BELIEVED_SECONDS
    ) -> None:
        self._database = database
        self._clock = clock
        self._believed_seconds = believed_seconds
        self._nobody_until = 0.0
        self._first = Lookup(database.engine, select(User.name).limit(1))

    def add(self, name: str, password: str, scope: Scope = Scope.SUBMIT) -> User:
        """
        Raises:
            InvalidSubmission: the name or the password cannot be, the name is taken, or this is the first person and no
                administrator.
        """
        if not NAME.fullmatch(name):
            raise InvalidSubmission(
                "name", "A name has 1 to 63 small letters, digits, dots, hyphens or underscores, no sign first"
            )
        if scope is not Scope.ADMIN and not self.any():
            raise InvalidSubmission("scope", "The first user must be an administrator, to look after the others")
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
            raise InvalidSubmission("name", f"There is already a user {name}; choose another name") from None
        self._nobody_until = 0.0
        return user

    def any(self) -> bool:
        """Whether there is anybody yet."""
        return self._first() is not None

    def nobody_yet(self) -> bool:
        """Whether there is nobody, or was a moment ago: whom another process adds counts within `believed_seconds`."""
        if time.monotonic() < self._nobody_until:
            return True
        if self.any():
            return False
        self._nobody_until = time.monotonic() + self._believed_seconds
        return True

    def list(self) -> Sequence[User]:
        """Everybody, by name."""
        with self._database.read() as session:
            return session.scalars(select(User).order_by(User.name)).all()

    def get(self, name: str) -> User:
        """
        Raises:
            UnknownUser: there is nobody of this name.
        """
        with self._database.read() as session:
            user = session.get(User, name)
        if user is None:
            raise UnknownUser(f"There is no user {name!r}; `tenfold users list` names those there are.")
        return user

    def authenticate(self, name: str, password: str) -> User | None:
        """The person of this name and password, if there is one."""
        with self._database.read() as session:
            user = session.get(User, name)
        return user if is_password(password, user.password_hash if user else None) else None

    def change_password(self, name: str, password: str) -> User:
        """Set a password, and end the person's sessions.

        Raises:
            UnknownUser: there is nobody of this name.
            InvalidSubmission: the password cannot be.
        """
        self._change(name, password_hash=hash_password(password), session_stamp=_new_stamp())
        return self.get(name)

    def change(self, name: str, scope: Scope, *, max_jobs: int | None, max_bytes: int | None) -> None:
        """Set what a person may do, and how much; None is what the settings say.

        Raises:
            UnknownUser: there is nobody of this name.
        """
        self._change(name, scope=scope, max_jobs=max_jobs, max_bytes=max_bytes)

    def remove(self, name: str) -> None:
        """Remove a person, their keys and sessions. Their jobs stay and belong to nobody.

        Raises:
            UnknownUser: there is nobody of this name.
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
