"""Stores digests of API keys: a key itself is shown once, when it is created.

A key is `tf_<id>_<secret>`. The id identifies its row and is shown in lists; the secret has 256 random bits, so a plain
SHA-256 of it cannot be brute-forced.
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

from tenfold.worker.db.clock import Clock
from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.lookups import Lookup
from tenfold.worker.db.records import ApiKey, User
from tenfold.worker.db.scopes import Scope, lesser
from tenfold.worker.errors import InvalidSubmission, UnknownKey, UnknownUser

KEY = re.compile(r"(tf_[0-9a-f]{12})_([0-9a-f]{64})")
MAX_NAME = 100
MAX_DAYS = 3650
DAY_SECONDS = 86_400

# `last_used_at` is updated at most this often, so that most requests only read.
LAST_USED_RESOLUTION_SECONDS = 60


class KeyHolder(NamedTuple):
    """The owner of a key and its effective scope: the lesser of the key's and the owner's."""

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
        """A new key and its text, which is not stored and cannot be shown again.

        Args:
            name: what it is for, in its owner's words.
            days: after how many it expires, at most `MAX_DAYS`; 0: never.

        Raises:
            UnknownUser: the owner does not exist.
            InvalidSubmission: the name is missing or too long, or `days` is out of range.
        """
        if not 0 <= days <= MAX_DAYS:
            raise InvalidSubmission("days", f"A key expires after 1 to {MAX_DAYS:,} days, or never (0)")
        if not 0 < len(name) <= MAX_NAME:
            raise InvalidSubmission("name", f"Give the key a name of 1 to {MAX_NAME} characters")
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
            raise UnknownUser(f"There is no user {owner!r}; `tenfold user list` shows all users.") from None
        return key, f"{key_id}_{secret}"

    def list(self, owner: str | None = None) -> Sequence[ApiKey]:
        """All keys, or those of one user, newest first."""
        query = select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id)
        if owner is not None:
            query = query.where(ApiKey.owner == owner)
        with self._database.read() as session:
            return session.scalars(query).all()

    def revoke(self, key_id: str, owner: str | None = None) -> None:
        """Revoke a key, effective immediately.

        Args:
            owner: if given, the key must be this user's.

        Raises:
            UnknownKey: the key does not exist.
        """
        query = delete(ApiKey).where(ApiKey.id == key_id)
        if owner is not None:
            query = query.where(ApiKey.owner == owner)
        with self._database.write() as session:
            revoked = rows_changed(session, query)
        if not revoked:
            raise UnknownKey(f"There is no key {key_id[:20]!r}; `tenfold key list` shows all keys.")

    def find(self, text: str) -> KeyHolder | None:
        """The holder of the key with this text; None if it is invalid, revoked or expired."""
        parts = KEY.fullmatch(text)
        if parts is None:
            return None
        found = self._key_with_id(id=parts[1])
        if found is None or not hmac.compare_digest(found["digest"], _digest(parts[2])):
            return None
        if found["expires_at"] is not None and found["expires_at"] <= self._clock():
            return None
        self._record_use(parts[1], found["last_used_at"])
        return KeyHolder(parts[1], found["owner"], lesser(found["scope"], found["scope_of_owner"]))

    def _record_use(self, key_id: str, last_used_at: float | None) -> None:
        now = self._clock()
        recorded_before = now - LAST_USED_RESOLUTION_SECONDS
        if last_used_at is not None and last_used_at > recorded_before:
            return
        stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= recorded_before)
        with self._database.write() as session:
            session.execute(update(ApiKey).where(ApiKey.id == key_id, stale).values(last_used_at=now))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
