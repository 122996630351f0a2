"""When a request is sent again, and how long is waited before that."""

import httpx
from httpx_retries import Retry, RetryTransport

# Waits of about 0.5, 1, 2, 4 and 8 s, each shortened at random by up to half so that many clients do not come at once;
# longer where `Retry-After` says so.
BACKOFF_FACTOR = 0.25
JITTER = 0.5
LONGEST_WAIT_SECONDS = 60
LONGEST_WAITS_SECONDS = 120

METHODS = ("GET", "HEAD", "PUT", "DELETE", "POST")

# The `extensions` of a request whose first outcome counts.
NEVER = {"retry": Retry(total=0)}

# How the server, or a proxy before it, says that it did nothing and may later.
NOTHING_DONE = (429, 503)


def retrying_transport(retries: int) -> RetryTransport:
    """Sends again what may be sent twice: on broken connections, and on 429, 502, 503 and 504."""
    return RetryTransport(retry=_retry(retries))


def once_only(retries: int) -> dict[str, Retry]:
    """The `extensions` of a request that must not arrive twice: sent again only when it certainly did nothing."""
    never_sent = (httpx.ConnectError, httpx.ConnectTimeout)
    return {"retry": _retry(retries).copy_with(retry_on_exceptions=never_sent, status_forcelist=NOTHING_DONE)}


def _retry(retries: int) -> Retry:
    return Retry(
        total=retries,
        allowed_methods=METHODS,
        backoff_factor=BACKOFF_FACTOR,
        backoff_jitter=JITTER,
        max_backoff_wait=LONGEST_WAIT_SECONDS,
        total_timeout=LONGEST_WAITS_SECONDS,
    )
