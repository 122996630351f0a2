"""Stores webhooks: URLs that are notified when jobs end. Deliveries to them are in `deliveries`."""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from ulid import ULID

from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.records import Delivery, Job, Webhook
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import UnknownWebhook

# The format of Standard Webhooks.
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32


class WebhookStore:
    """Webhooks in the database. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, url: str, kinds: Sequence[JobKind], now: float) -> Webhook:
        """Add a URL, notified of jobs of these kinds; of all kinds if empty."""
        secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        webhook = Webhook(id=_new_id(), url=url, secret=secret, kinds=[kind.value for kind in kinds], created_at=now)
        with self._database.write() as session:
            session.add(webhook)
        return webhook

    def list(self) -> Sequence[Webhook]:
        """All webhooks, newest first."""
        with self._database.read() as session:
            return session.scalars(select(Webhook).order_by(Webhook.id.desc())).all()

    def get(self, webhook_id: str) -> Webhook:
        """One webhook.

        Raises:
            UnknownWebhook: there is none with this id.
        """
        with self._database.read() as session:
            webhook = session.get(Webhook, webhook_id)
        if webhook is None:
            raise UnknownWebhook(f"There is no webhook {webhook_id!r}; `tenfold webhook list` shows all webhooks.")
        return webhook

    def delete(self, webhook_id: str) -> None:
        """Remove a webhook with its pending deliveries.

        Raises:
            UnknownWebhook: there is none with this id.
        """
        with self._database.write() as session:
            if not rows_changed(session, delete(Webhook).where(Webhook.id == webhook_id)):
                raise UnknownWebhook(f"There is no webhook {webhook_id!r}; it may have been removed already.")


def tell_webhooks(session: Session, job_id: str, now: float) -> None:
    """Add deliveries for a job that this transaction ends."""
    webhooks = session.scalars(select(Webhook)).all()
    if not webhooks:
        return
    columns = (Job.kind, Job.state, Job.error, Job.summary)
    kind, state, error, summary = session.execute(select(*columns).where(Job.id == job_id)).one()
    event = f"job.{state.value}"
    payload = {
        "type": event,
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {"id": job_id, "kind": kind.value, "state": state.value, "error": error, "summary": summary},
    }
    session.add_all(
        Delivery(
            id=_new_id(),
            webhook_id=webhook.id,
            job_id=job_id,
            event=event,
            payload=payload,
            created_at=now,
            next_try_at=now,
        )
        for webhook in webhooks
        if not webhook.kinds or kind.value in webhook.kinds
    )


def _new_id() -> str:
    return str(ULID()).lower()
