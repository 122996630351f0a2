"""The store of API keys, of which only a digest is kept: a key is shown once, when it is made.

A key is `tf_<id>_<secret>`. The id finds its row and is what lists show; the secret has 256 random bits, so a plain
SHA-256 of it cannot be searched.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from worker.clock import Clock
from worker.database import Database, rows_changed
from worker.errors import InvalidSubmission, UnknownKey, UnknownUser
from worker.lookups import Lookup
from worker.people.scopes import Scope, lesser
from worker.records import ApiKey, User

KEY = re.compile(r"(tf_[0-9a-f]{12})_([0-9a-f]{64})")
LONGEST_NAME = 100
MAX_DAYS = 3650
DAY_SECONDS = 86_400

# When a key was last used is written down this often at most, so that polls stay reads.
USE_NOTED_SECONDS = 60


class KeyHolder(NamedTuple):
    """Whose a key is, and what may be done with it: no more than it says, and no more than they may themselves."""

    key_id: str
    owner: str
    scope: Scope


class KeyStore:
    """API keys in the database. Every method is one transaction.

    Args:
        database: where the rows are.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock
        self._key_with_id = Lookup(
            database.engine,
            select(
                ApiKey.owner,
                ApiKey.digest,
                ApiKey.last_used_at,
                ApiKey.expires_at,
                ApiKey.scope,
                User.scope.label("scope_of_owner"),
            )
            .join(User, User.name == ApiKey.owner)
            .where(ApiKey.id == bindparam("id")),
        )

    def add(self, owner: str, name: str, scope: Scope, *, days: int = 0) -> tuple[ApiKey, str]:
        """A new key, and its text, which can never be had again.

        Args:
            name: what it is for, in its owner's words.
            days: after how many it expires, at most `MAX_DAYS`; 0: never.

        Raises:
            UnknownUser: there is no such owner.
            InvalidSubmission: there is no name, or too long a one, or the days are out of range.
        """
        if not 0 <= days <= MAX_DAYS:
            raise InvalidSubmission("days", f"A key expires after 1 to {MAX_DAYS:,} days, or never (0)")
        if not 0 < len(name) <= LONGEST_NAME:
            raise InvalidSubmission("name", f"Say in 1 to {LONGEST_NAME} characters what the key is for")
        key_id, secret = f"tf_{secrets.token_hex(6)}", secrets.token_hex(32)
        now = self._clock()
        key = ApiKey(
            id=key_id,
            owner=owner,
            name=name,
            scope=scope,
            digest=_digest(secret),
            created_at=now,
            expires_at=now + days * DAY_SECONDS if days else None,
        )
        try:
            with self._database.write() as session:
                session.add(key)
        except IntegrityError:
            raise UnknownUser(f"There is no user {owner!r}; `tenfold users list` names those there are.") from None
        return key, f"{key_id}_{secret}"

    def list(self, owner: str | None = None) -> Sequence[ApiKey]:
        """Everybody's keys, or one person's, the newest first."""
        query = select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id)
        if owner is not None:
            query = query.where(ApiKey.owner == owner)
        with self._database.read() as session:
            return session.scalars(query).all()

    def revoke(self, key_id: str, owner: str | None = None) -> None:
        """Make a key worthless, at once.

        Args:
            owner: whose it must be, where given.

        Raises:
            UnknownKey: there is no such key.
        """
        query = delete(ApiKey).where(ApiKey.id == key_id)
        if owner is not None:
            query = query.where(ApiKey.owner == owner)
        with self._database.write() as session:
            revoked = rows_changed(session, query)
        if not revoked:
            raise UnknownKey(f"There is no key {key_id[:20]!r}; `tenfold keys list` names those there are.")

    def find(self, text: str) -> KeyHolder | None:
        """Whose the key with this text is; None for what is no key, or one that was revoked or has expired."""
        parts = KEY.fullmatch(text)
        if parts is None:
            return None
        found = self._key_with_id(id=parts[1])
        if found is None or not hmac.compare_digest(found["digest"], _digest(parts[2])):
            return None
        if found["expires_at"] is not None and found["expires_at"] <= self._clock():
            return None
        self._note_use(parts[1], found["last_used_at"])
        return KeyHolder(parts[1], found["owner"], lesser(found["scope"], found["scope_of_owner"]))

    def _note_use(self, key_id: str, last_used_at: float | None) -> None:
        now = self._clock()
        noted_before = now - USE_NOTED_SECONDS
        if last_used_at is not None and last_used_at > noted_before:
            return
        stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= noted_before)
        with self._database.write() as session:
            session.execute(update(ApiKey).where(ApiKey.id == key_id, stale).values(last_used_at=now))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
