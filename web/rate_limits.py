"""How often one caller may use the API, of all webs together; without Redis nobody is counted.

Every answer says how many calls are left, as the IETF's draft "RateLimit header fields for HTTP" has it.
"""

from http import HTTPStatus
from typing import NamedTuple

from flask import Flask, Response, g, request
from redis import Redis

from web.api import api
from web.call_counts import CallCounts
from web.problems import problem
from web.settings import WebSettings

WINDOW_SECONDS = 60

# Checked by machines, again and again.
UNCOUNTED = frozenset({"api.healthz", "api.readyz"})

# Calls that make something that stays.
SUBMISSIONS = frozenset(
    {
        "api.create_training",
        "api.create_sweep",
        "api.create_classification",
        "api.create_dataset",
        "api.create_review",
        "api.create_upload",
        "api.create_webhook",
        "api.retry_job",
    }
)


class Allowance(NamedTuple):
    """What is left of a policy in this minute; `left` is negative where it is used up."""

    policy: str
    most: int
    left: int
    seconds: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.most};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.policy}";r={max(self.left, 0)};t={self.seconds}',
        }


def limit_rates(app: Flask, redis: Redis, settings: WebSettings) -> None:
    """Refuse calls of the API beyond the settings' bounds with `429`."""
    counts = CallCounts(redis, WINDOW_SECONDS)
    policies = {"requests": settings.max_requests_per_minute, "submissions": settings.max_submissions_per_minute}

    def refuse_beyond() -> Response | None:
        g.allowance = None
        if request.blueprint != api.name or request.endpoint in UNCOUNTED:
            return None
        policy = "submissions" if request.endpoint in SUBMISSIONS and request.method == "POST" else "requests"
        if not policies[policy]:
            return None
        made = counts.add(f"{policy}:{caller()}")
        if made is None:
            return None
        allowance = g.allowance = Allowance(policy, policies[policy], policies[policy] - made, counts.seconds_left())
        if allowance.left >= 0:
            return None
        refusal = problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"{allowance.most:,} {policy} in a minute are the most; wait {allowance.seconds} s.",
        )
        refusal.headers["Retry-After"] = str(allowance.seconds)
        return refusal

    def tell(response: Response) -> Response:
        allowance: Allowance | None = g.get("allowance")
        if allowance is not None:
            for name, value in allowance.headers.items():
                response.headers.add(name, value)
        return response

    app.before_request(refuse_beyond)
    app.after_request(tell)


def caller() -> str:
    """Who is counted: the person, where it is known who asks, else the address."""
    return str(g.get("owner") or request.remote_addr)
