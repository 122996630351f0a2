"""Stores deliveries to webhooks.

A sender claims a delivery by one conditional UPDATE for a limited time, so a killed sender only delays it, and two
senders never send it at the same time. An event may arrive twice, with the same id.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update

from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.records import Delivery, Webhook

# How long a claim is valid; an attempt must be shorter.
CLAIM_SECONDS = 60.0

# Pause after the first attempt; four times as long after each, up to four hours.
FIRST_PAUSE_SECONDS = 5.0
MAX_PAUSE_SECONDS = 4 * 3600.0

# Spreads attempts, so that a server that was down is not flooded.
JITTER = 0.25

# How long finished deliveries are kept for display.
KEPT_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Claimed:
    """A claimed delivery: one attempt."""

    id: str
    webhook_id: str
    attempt: int
    created_at: float
    url: str
    secret: str
    payload: dict[str, Any]


class DeliveryStore:
    """Deliveries in the database. Every method is one transaction.

    Args:
        clock: seconds since the epoch.
        chance: a random number in 0–1.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._clock = clock
        self._chance = chance

    def claim(self, most: int) -> Sequence[Claimed]:
        """Claim up to `most` due deliveries: the oldest of each webhook, so that a slow one delays no other."""
        now = self._clock()
        rank = func.row_number().over(partition_by=Delivery.webhook_id, order_by=(Delivery.next_try_at, Delivery.id))
        columns = Delivery.id, Delivery.next_try_at, rank.label("rank")
        due = select(*columns).where(Delivery.next_try_at <= now).subquery()
        oldest = select(due.c.id).where(due.c.rank == 1).order_by(due.c.next_try_at).limit(most)
        with self._database.read() as session:
            found = session.scalars(oldest).all()
        claims = (self._claim(delivery_id, now) for delivery_id in found)
        return [claimed for claimed in claims if claimed is not None]

    def arrived(self, claimed: Claimed) -> None:
        """Record that the webhook accepted it."""
        self._end_attempt(claimed, delivered_at=self._clock(), next_try_at=None, error=None)

    def failed(self, claimed: Claimed, reason: str, retry_seconds: float) -> None:
        """Schedule the next attempt, or give up after `retry_seconds`.

        Other deliveries to the same webhook are postponed too: they would probably fail, and keep others waiting.
        """
        now = self._clock()
        pause = min(FIRST_PAUSE_SECONDS * 4 ** (claimed.attempt - 1), MAX_PAUSE_SECONDS)
        next_try_at = now + pause * (1 - JITTER + 2 * JITTER * self._chance())
        given_up = next_try_at > claimed.created_at + retry_seconds
        self._end_attempt(claimed, next_try_at=None if given_up else next_try_at, error=reason)
        self._postpone(claimed.webhook_id, now + FIRST_PAUSE_SECONDS)

    def list(self, webhook_id: str, *, before: str | None, limit: int) -> Sequence[Delivery]:
        """Up to `limit` deliveries of a webhook, newest first, older than the id `before`."""
        query = select(Delivery).where(Delivery.webhook_id == webhook_id).order_by(Delivery.id.desc()).limit(limit)
        if before is not None:
            query = query.where(Delivery.id < before)
        with self._database.read() as session:
            return session.scalars(query).all()

    def forget_old(self) -> None:
        """Remove deliveries that finished long ago."""
        ended = Delivery.next_try_at.is_(None) & (Delivery.created_at < self._clock() - KEPT_SECONDS)
        with self._database.write() as session:
            session.execute(delete(Delivery).where(ended))

    def _claim(self, delivery_id: str, now: float) -> Claimed | None:
        with self._database.write() as session:
            won = rows_changed(
                session,
                update(Delivery)
                .where(Delivery.id == delivery_id, Delivery.next_try_at <= now)
                .values(next_try_at=now + CLAIM_SECONDS, attempts=Delivery.attempts + 1),
            )
            if not won:
                return None
            query = select(Delivery, Webhook).join(Webhook).where(Delivery.id == delivery_id)
            delivery, webhook = session.execute(query).one()
            return Claimed(
                id=delivery.id,
                webhook_id=webhook.id,
                attempt=delivery.attempts,
                created_at=delivery.created_at,
                url=webhook.url,
                secret=webhook.secret,
                payload=delivery.payload,
            )

    def _postpone(self, webhook_id: str, until: float) -> None:
        with self._database.write() as session:
            session.execute(
                update(Delivery)
                .where(Delivery.webhook_id == webhook_id, Delivery.next_try_at < until)
                .values(next_try_at=until)
            )

    def _end_attempt(self, claimed: Claimed, **values: Any) -> None:
        with self._database.write() as session:
            session.execute(
                update(Delivery).where(Delivery.id == claimed.id, Delivery.attempts == claimed.attempt).values(**values)
            )
