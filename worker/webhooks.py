"""Webhooks: addresses that are told when jobs end. What is on its way to them is in `deliveries.py`."""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from ulid import ULID

from worker.database import Database, rows_changed
from worker.errors import UnknownWebhook
from worker.records import Delivery, Job, Webhook
from worker.states import JobKind

# As Standard Webhooks writes secrets down.
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32


class WebhookStore:
    """Webhooks in the database. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, url: str, kinds: Sequence[JobKind], now: float) -> Webhook:
        """Tell this address from now on; of jobs of all kinds where none is named."""
        secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        webhook = Webhook(id=_new_id(), url=url, secret=secret, kinds=[kind.value for kind in kinds], created_at=now)
        with self._database.write() as session:
            session.add(webhook)
        return webhook

    def list(self) -> Sequence[Webhook]:
        """All webhooks, the newest first."""
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
            raise UnknownWebhook(f"There is no webhook {webhook_id!r}; see the list of webhooks for those there are.")
        return webhook

    def delete(self, webhook_id: str) -> None:
        """Tell this address no more, not even of what is on its way.

        Raises:
            UnknownWebhook: there is none with this id.
        """
        with self._database.write() as session:
            if not rows_changed(session, delete(Webhook).where(Webhook.id == webhook_id)):
                raise UnknownWebhook(f"There is no webhook {webhook_id!r}; perhaps it was removed before.")


def tell_webhooks(session: Session, job_id: str, now: float) -> None:
    """Write down what webhooks are to be told of a job that this transaction ends."""
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
