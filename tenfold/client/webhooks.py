"""The calls of the API about webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from tenfold.client.connection import MAX_ON_A_PAGE, Connection
from tenfold.client.submitting import quoted

if TYPE_CHECKING:
    from tenfold.web.api.documents.webhooks import DeliveryDocument, NewWebhook, WebhookDocument


class WebhookCalls(Connection):
    """Webhooks: addresses that the server calls when a job finishes."""

    def add_webhook(self, url: str, kinds: Sequence[str] = ()) -> NewWebhook:
        """Add a webhook: the server sends a request to `url` whenever a job finishes.

        The answer's `secret` signs the requests; it is shown only this once.

        Args:
            kinds: kinds of jobs. Default: all.
        """
        asked = {"url": url, "kinds": list(kinds)}
        webhook: NewWebhook = self.document("POST", "webhooks", needs=("id", "secret"), json=asked)
        return webhook

    def webhooks(self) -> list[WebhookDocument]:
        """The webhooks, newest first."""
        webhooks: list[WebhookDocument] = self.document("GET", "webhooks", needs=("items",))["items"]
        return webhooks

    def webhook(self, webhook_id: str) -> WebhookDocument:
        webhook: WebhookDocument = self.document("GET", f"webhooks/{quoted(webhook_id)}", needs=("id",))
        return webhook

    def delete_webhook(self, webhook_id: str) -> None:
        """Delete a webhook."""
        self.request("DELETE", f"webhooks/{quoted(webhook_id)}")

    def deliveries(self, webhook_id: str, *, limit: int = 50) -> list[DeliveryDocument]:
        """The deliveries to a webhook, newest first."""
        path = f"webhooks/{quoted(webhook_id)}/deliveries"
        return list(islice(self.listed(path, {"limit": min(limit, MAX_ON_A_PAGE)}), limit))
