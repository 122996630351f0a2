"""When a request is retried, and after what delay."""

import httpx
from httpx_retries import Retry, RetryTransport

# Delays of about 0.5, 1, 2, 4 and 8 s, each shortened at random by up to half so that many clients do not retry
# simultaneously; longer if `Retry-After` says so.
BACKOFF_FACTOR = 0.25
JITTER = 0.5
MAX_WAIT_SECONDS = 60
MAX_WAITS_SECONDS = 120

METHODS = ("GET", "HEAD", "PUT", "DELETE", "POST")

# The `extensions` of a request that is never retried.
NEVER = {"retry": Retry(total=0)}

# Answers by which the server, or a proxy, says that it did nothing and that a retry may succeed.
NOTHING_DONE = (429, 503)


def retrying_transport(retries: int) -> RetryTransport:
    """Retries on broken connections, and on 429, 502, 503 and 504."""
    return RetryTransport(retry=_retry(retries))


def once_only(retries: int) -> dict[str, Retry]:
    """The `extensions` of a request that must not arrive twice: retried only if it certainly had no effect."""
    never_sent = (httpx.ConnectError, httpx.ConnectTimeout)
    return {"retry": _retry(retries).copy_with(retry_on_exceptions=never_sent, status_forcelist=NOTHING_DONE)}


def _retry(retries: int) -> Retry:
    return Retry(
        total=retries,
        allowed_methods=METHODS,
        backoff_factor=BACKOFF_FACTOR,
        backoff_jitter=JITTER,
        max_backoff_wait=MAX_WAIT_SECONDS,
        total_timeout=MAX_WAITS_SECONDS,
    )
