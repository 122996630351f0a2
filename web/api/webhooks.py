"""`/webhooks`: addresses that are notified when jobs end, and their deliveries."""

import socket
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tenfold.web.api.documents.webhooks import (
    DeliveryList,
    NewWebhook,
    WebhookDocument,
    WebhookList,
    delivery_document,
    webhook_document,
)
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import NO_CONTENT, Answer, operation
from tenfold.web.api.parts.answers import PageFilter, json_body, page_of
from tenfold.web.core.services import services, settings
from tenfold.web.webhooks.connections import is_public
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission

routes = Blueprint("webhooks", __name__)


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("must be an address such as https://example.org/hook")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user name or password")
    return url


class WebhookParameters(BaseModel):
    """A new webhook."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, AfterValidator(_check_url)] = Field(
        max_length=2000, description="Where to send events; `https`, or `http`.", examples=["https://example.org/hook"]
    )
    kinds: tuple[JobKind, ...] = Field((), max_length=len(JobKind), description="Only jobs of these kinds; empty: all.")


@routes.get("/webhooks")
@operation(
    "Webhooks",
    "List the webhooks",
    answers=[Answer(200, "All of them.", WebhookList, {"items": [examples.WEBHOOK], "next": None}, headers=("ETag",))],
)
def list_webhooks() -> Response:
    """The newest first. Secrets are not shown."""
    answer: WebhookList = {
        "items": [webhook_document(webhook) for webhook in services().webhooks.list()],
        "next": None,
    }
    return jsonify(answer)


@routes.post("/webhooks")
@operation(
    "Webhooks",
    "Create a webhook",
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
    `type`, `timestamp` and `data`, which has the job's `id`, `kind`, `state`, `error` and `summary`. Trials of sweeps
    send none.

    Events are signed by Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`) with the secret
    that only this answer shows. If there is no 2xx within ten seconds, delivery is retried at growing intervals for a
    day. An event may arrive twice, with the same `webhook-id`.
    """
    wanted = WebhookParameters.model_validate(json_body(request))
    if not settings().webhook_private_addresses and _is_private(urlsplit(wanted.url).hostname or ""):
        raise InvalidSubmission(
            "url",
            "The address is on this machine or in the local network. The server's setting "
            "TENFOLD_WEBHOOK_PRIVATE_ADDRESSES=true allows such addresses.",
        )
    webhook = services().webhooks.add(wanted.url, wanted.kinds, services().clock())
    document: NewWebhook = {**webhook_document(webhook), "secret": webhook.secret}
    response = jsonify(document)
    response.status_code = 201
    response.headers["Location"] = document["links"]["self"]
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.get("/webhooks/<webhook_id>")
@operation(
    "Webhooks",
    "Show a webhook",
    answers=[Answer(200, "The webhook.", WebhookDocument, examples.WEBHOOK, headers=("ETag",))],
    problems=(404,),
)
def get_webhook(webhook_id: str) -> Response:
    """One webhook. The secret is not shown."""
    return jsonify(webhook_document(services().webhooks.get(webhook_id)))


@routes.delete("/webhooks/<webhook_id>")
@operation("Webhooks", "Delete a webhook", answers=NO_CONTENT, problems=(404,))
def delete_webhook(webhook_id: str) -> tuple[str, int]:
    """Delete a webhook and its pending deliveries."""
    services().webhooks.delete(webhook_id)
    return "", 204


@routes.get("/webhooks/<webhook_id>/deliveries")
@operation(
    "Webhooks",
    "List the deliveries of a webhook",
    query=PageFilter,
    answers=[Answer(200, "A page.", DeliveryList, {"items": [examples.DELIVERY], "next": None}, headers=("ETag",))],
    problems=(404,),
)
def list_deliveries(webhook_id: str) -> Response:
    """The newest first; delivered and failed ones are kept for a week. `error` is why the last attempt failed."""
    wanted = PageFilter.model_validate(request.args.to_dict())
    services().webhooks.get(webhook_id)
    found = services().deliveries.list(webhook_id, before=wanted.cursor, limit=wanted.limit + 1)
    page, following = page_of(found, wanted)
    answer: DeliveryList = {"items": [delivery_document(delivery) for delivery in page], "next": following}
    return jsonify(answer)


def _is_private(host: str) -> bool:
    """Whether it is visibly private, without DNS; names are resolved and checked at each delivery."""
    host = host.rstrip(".").lower()
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        pass
    try:  # other spellings of IPv4 addresses: 127.1, 2130706433, 0x7f.0.0.1, 0177.0.0.1
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, ValueError):
        return host == "localhost" or host.endswith(".localhost")
