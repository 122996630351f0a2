"""Webhooks and their deliveries."""

from typing import Literal

from flask import url_for
from typing_extensions import TypedDict

from tenfold.web.api.documents.common import timestamp
from tenfold.worker.db.records import Delivery, Webhook
from tenfold.worker.db.states import JobKind


class WebhookLinks(TypedDict):
    self: str
    deliveries: str


class WebhookDocument(TypedDict):
    """An address that is notified when jobs end."""

    id: str
    url: str
    kinds: list[JobKind]
    created_at: str
    links: WebhookLinks


class NewWebhook(WebhookDocument):
    """A new webhook: only the answer that creates it has the secret."""

    secret: str


class WebhookList(TypedDict):
    """All webhooks, the newest first; `next` is always null."""

    items: list[WebhookDocument]
    next: None


class DeliveryDocument(TypedDict):
    """One event for one webhook; `next_attempt_at` is null once it is delivered or has failed for good."""

    id: str
    event: str
    job: str
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    created_at: str
    delivered_at: str | None
    next_attempt_at: str | None
    error: str | None


class DeliveryList(TypedDict):
    """Deliveries, the newest first; `next` is the address of the following page, or null."""

    items: list[DeliveryDocument]
    next: str | None


def webhook_document(webhook: Webhook) -> WebhookDocument:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "kinds": [JobKind(kind) for kind in webhook.kinds],
        "created_at": timestamp(webhook.created_at),
        "links": {
            "self": url_for("api.webhooks.get_webhook", webhook_id=webhook.id),
            "deliveries": url_for("api.webhooks.list_deliveries", webhook_id=webhook.id),
        },
    }


def delivery_document(delivery: Delivery) -> DeliveryDocument:
    pending = delivery.next_try_at is not None
    return {
        "id": delivery.id,
        "event": delivery.event,
        "job": delivery.job_id,
        "state": "pending" if pending else "delivered" if delivery.delivered_at else "failed",
        "attempts": delivery.attempts,
        "created_at": timestamp(delivery.created_at),
        "delivered_at": timestamp(delivery.delivered_at),
        "next_attempt_at": timestamp(delivery.next_try_at),
        "error": delivery.error,
    }
