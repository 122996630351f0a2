"""Sends what is due to webhooks, signed by Standard Webhooks (https://www.standardwebhooks.com).

It runs as a thread of the web, since the workers know no HTTP. Of several webs each sends what it claims.
"""

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpcore
from sqlalchemy.exc import SQLAlchemyError

from web.checked_connections import AddressRefused, CheckedBackend
from web.settings import WebSettings
from worker.deliveries import Claimed, DeliveryStore
from worker.webhooks import SECRET_PREFIX

log = logging.getLogger(__name__)

# Tries at the same time.
AT_ONCE = 4

# Between two looks at what is due.
LOOK_EVERY_SECONDS = 1.0


class WebhookSender:
    """Sends deliveries.

    Args:
        clock: seconds since the epoch, which are signed too.
    """

    def __init__(
        self, deliveries: DeliveryStore, settings: WebSettings, clock: Callable[[], float] = time.time
    ) -> None:
        self._deliveries = deliveries
        self._settings = settings
        self._clock = clock

    def send_due(self) -> int:
        """One round: try what is due. Tells how many were tried."""
        claims = self._deliveries.claim(AT_ONCE)
        if claims:
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhooks") as pool:
                list(pool.map(self._try, claims))
        return len(claims)

    def send_for_ever(self) -> None:
        """Never returns, whatever happens: what was claimed is tried again when the claim has run out."""
        while True:
            try:
                while self.send_due():
                    pass
            except SQLAlchemyError as error:
                log.warning("could not look for what webhooks are to be told, will try again: %s", error)
            except Exception:
                log.exception("unexpected error on the way to webhooks, will try again")
            time.sleep(LOOK_EVERY_SECONDS)

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
        """The status that it is answered with. Redirects are not followed: they could lead anywhere."""
        body = json.dumps(claimed.payload).encode()
        seconds = self._settings.webhook_timeout_seconds
        backend = CheckedBackend(private=self._settings.webhook_private_addresses, seconds=seconds)
        headers: list[tuple[bytes | str, bytes | str]] = [
            ("Content-Type", "application/json"),
            ("User-Agent", "Tenfold"),
            *signature_headers(claimed.id, int(self._clock()), claimed.secret, body).items(),
        ]
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        with (
            httpcore.ConnectionPool(network_backend=backend) as pool,
            pool.stream(
                "POST", claimed.url, headers=headers, content=body, extensions={"timeout": timeout}
            ) as response,
        ):
            return response.status


def signature_headers(delivery_id: str, timestamp: int, secret: str, body: bytes) -> dict[str, str]:
    """What a receiver needs to know that a body comes from here, and is not an old one sent again."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{delivery_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
