"""Delivers events to webhooks, signed by Standard Webhooks (https://www.standardwebhooks.com).

Runs as a thread of the web, since workers use no HTTP. Several web processes share the work by claims.
"""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpcore
from sqlalchemy.exc import SQLAlchemyError
from standardwebhooks import Webhook

from tenfold.web.core.settings import WebSettings
from tenfold.web.webhooks.connections import AddressRefused, CheckedBackend
from tenfold.worker.webhooks.deliveries import Claimed, DeliveryStore

log = logging.getLogger(__name__)

# Deliveries at the same time.
MAX_PARALLEL = 4

# Between two queries for due deliveries.
POLL_SECONDS = 1.0


class WebhookSender:
    """Sends deliveries.

    Args:
        clock: seconds since the epoch; part of the signature.
    """

    def __init__(
        self, deliveries: DeliveryStore, settings: WebSettings, clock: Callable[[], float] = time.time
    ) -> None:
        self._deliveries = deliveries
        self._settings = settings
        self._clock = clock

    def send_due(self) -> int:
        """Try due deliveries once, and return their number."""
        claims = self._deliveries.claim(MAX_PARALLEL)
        if claims:
            with ThreadPoolExecutor(MAX_PARALLEL, thread_name_prefix="webhooks") as pool:
                list(pool.map(self._try, claims))
        return len(claims)

    def send_forever(self) -> None:
        """Never returns: after an error, claimed deliveries are retried when their claim has expired."""
        while True:
            try:
                while self.send_due():
                    pass
            except SQLAlchemyError as error:
                log.warning("could not read due webhook deliveries, will retry: %s", error)
            except Exception:
                log.exception("unexpected error while delivering webhooks, will retry")
            time.sleep(POLL_SECONDS)

    def _try(self, claimed: Claimed) -> None:
        try:
            status = self._post(claimed)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, AddressRefused) as error:
            reason = str(error) or type(error).__name__
        except (ValueError, OSError) as error:
            reason = f"{type(error).__name__}: {error}"
        else:
            reason = "" if 200 <= status < 300 else f"answered with {status}"
        if reason:
            log.info("delivery %s to %s: %s", claimed.id, claimed.url, reason)
            self._deliveries.failed(claimed, reason, self._settings.webhook_retry_seconds)
        else:
            self._deliveries.arrived(claimed)

    def _post(self, claimed: Claimed) -> int:
        """The status of the answer. Redirects are not followed: they could lead to private addresses."""
        body = json.dumps(claimed.payload)
        seconds = self._settings.webhook_timeout_seconds
        backend = CheckedBackend(private=self._settings.webhook_private_addresses, seconds=seconds)
        headers: list[tuple[bytes | str, bytes | str]] = [
            ("Content-Type", "application/json"),
            ("User-Agent", "Tenfold"),
            *_signature_headers(claimed, self._clock(), body).items(),
        ]
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        with (
            httpcore.ConnectionPool(network_backend=backend) as pool,
            pool.stream(
                "POST", claimed.url, headers=headers, content=body.encode(), extensions={"timeout": timeout}
            ) as response,
        ):
            return response.status


def _signature_headers(claimed: Claimed, now: float, body: str) -> dict[str, str]:
    """Headers by which a receiver verifies that a body comes from here and is recent."""
    sent_at = datetime.fromtimestamp(int(now), UTC)
    return {
        "webhook-id": claimed.id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": Webhook(claimed.secret).sign(claimed.id, sent_at, body),
    }
