"""`/webhooks`: addresses that are told when jobs end, and how that went."""

import socket
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from flask import Response, jsonify, request, url_for
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from web.api import api, examples
from web.api.answers import json_body
from web.api.operations import NO_CONTENT, Answer, operation
from web.checked_connections import is_public
from web.documents import DeliveryDocument, DeliveryList, NewWebhook, WebhookDocument, WebhookList
from web.representations import timestamp
from web.services import services, settings
from worker.errors import InvalidSubmission
from worker.records import Delivery, Webhook
from worker.states import JobKind


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("give an address that begins with https:// or http:// and names a server")
    if parts.username is not None or parts.password is not None:
        raise ValueError("give an address without a name or password in it")
    return url


class WebhookParameters(BaseModel):
    """Where to tell of what."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, AfterValidator(_check_url)] = Field(
        max_length=2000, description="Where to send events; `https`, or `http`.", examples=["https://example.org/hook"]
    )
    kinds: tuple[JobKind, ...] = Field(
        (), max_length=len(JobKind), description="Tell of jobs of these kinds only; of all where none is named."
    )


class DeliveryFilter(BaseModel):
    """Which deliveries to list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=500, description="Most deliveries on a page.")
    cursor: str | None = Field(None, max_length=26, description="As `next` of the page before has it.")


@api.get("/webhooks")
@operation(
    "Webhooks",
    "List the webhooks",
    answers=[Answer(200, "All of them.", WebhookList, {"webhooks": [examples.WEBHOOK]}, headers=("ETag",))],
)
def list_webhooks() -> Response:
    """The newest come first. Secrets are not shown."""
    answer: WebhookList = {"webhooks": [_document(webhook) for webhook in services().webhooks.list()]}
    return jsonify(answer)


@api.post("/webhooks")
@operation(
    "Webhooks",
    "Make a webhook",
    body=WebhookParameters,
    example={"url": "https://example.org/tenfold", "kinds": ["classification"]},
    answers=[
        Answer(
            201,
            "The webhook, with its secret.",
            NewWebhook,
            {**examples.WEBHOOK, "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD…"},
            headers=("Location",),
        )
    ],
)
def create_webhook() -> Response:
    """When a job has ended, `POST` a `job.succeeded`, `job.failed` or `job.cancelled` to this address: JSON with
    `type`, `timestamp` and `data`, which has the job's `id`, `kind`, `state`, `error` and `summary`. A sweep's trials
    are not told of.

    Events are signed as Standard Webhooks say (`webhook-id`, `webhook-timestamp`, `webhook-signature`), with the
    secret that only this answer shows. What is not answered with 2xx within ten seconds is tried again, at longer and
    longer intervals, for a day. An event may arrive twice, with the same `webhook-id`.
    """
    wanted = WebhookParameters.model_validate(json_body(request))
    if not settings().webhook_private_addresses and _is_private(urlsplit(wanted.url).hostname or ""):
        raise InvalidSubmission(
            "url",
            "The address lies on this machine or in the local network; the server's setting "
            "TENFOLD_WEBHOOK_PRIVATE_ADDRESSES=true would allow it.",
        )
    webhook = services().webhooks.add(wanted.url, wanted.kinds, services().clock())
    document: NewWebhook = {**_document(webhook), "secret": webhook.secret}
    response = jsonify(document)
    response.status_code = 201
    response.headers["Location"] = document["links"]["self"]
    response.headers["Cache-Control"] = "no-store"
    return response


@api.get("/webhooks/<webhook_id>")
@operation(
    "Webhooks",
    "Look at a webhook",
    answers=[Answer(200, "The webhook.", WebhookDocument, examples.WEBHOOK, headers=("ETag",))],
    problems=(404,),
)
def get_webhook(webhook_id: str) -> Response:
    """Where it tells of what. The secret is not shown."""
    return jsonify(_document(services().webhooks.get(webhook_id)))


@api.delete("/webhooks/<webhook_id>")
@operation("Webhooks", "Remove a webhook", answers=NO_CONTENT, problems=(404,))
def delete_webhook(webhook_id: str) -> tuple[str, int]:
    """Tell this address no more, not even of what is on its way."""
    services().webhooks.delete(webhook_id)
    return "", 204


@api.get("/webhooks/<webhook_id>/deliveries")
@operation(
    "Webhooks",
    "List what was sent to a webhook",
    query=DeliveryFilter,
    answers=[
        Answer(200, "A page.", DeliveryList, {"deliveries": [examples.DELIVERY], "next": None}, headers=("ETag",))
    ],
    problems=(404,),
)
def list_deliveries(webhook_id: str) -> Response:
    """The newest come first, those that have arrived or were given up for a week; `error` says how the last try
    went."""
    wanted = DeliveryFilter.model_validate(request.args.to_dict())
    services().webhooks.get(webhook_id)
    found = services().deliveries.list(webhook_id, before=wanted.cursor, limit=wanted.limit + 1)
    page, more = found[: wanted.limit], len(found) > wanted.limit
    following: str | None = None
    if more:
        query: dict[str, Any] = wanted.model_dump(exclude_none=True) | {"cursor": page[-1].id}
        following = url_for("api.list_deliveries", webhook_id=webhook_id, **query)
    answer: DeliveryList = {"deliveries": [_delivery(delivery) for delivery in page], "next": following}
    return jsonify(answer)


def _document(webhook: Webhook) -> WebhookDocument:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "kinds": [JobKind(kind) for kind in webhook.kinds],
        "created_at": timestamp(webhook.created_at),
        "links": {
            "self": url_for("api.get_webhook", webhook_id=webhook.id),
            "deliveries": url_for("api.list_deliveries", webhook_id=webhook.id),
        },
    }


def _delivery(delivery: Delivery) -> DeliveryDocument:
    on_its_way = delivery.next_try_at is not None
    return {
        "id": delivery.id,
        "event": delivery.event,
        "job": delivery.job_id,
        "state": "waiting" if on_its_way else "delivered" if delivery.delivered_at else "given up",
        "attempts": delivery.attempts,
        "created_at": timestamp(delivery.created_at),
        "delivered_at": timestamp(delivery.delivered_at),
        "next_try_at": timestamp(delivery.next_try_at),
        "error": delivery.error,
    }


def _is_private(host: str) -> bool:
    """What can be told without asking anybody; names are looked at when something is sent."""
    host = host.rstrip(".").lower()
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        pass
    try:  # what systems take for an address of IPv4 as well: 127.1, 2130706433, 0x7f.0.0.1, 0177.0.0.1
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, ValueError):
        return host == "localhost" or host.endswith(".localhost")
