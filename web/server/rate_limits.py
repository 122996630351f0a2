"""Limits how often a caller may use the API, over all web processes; without Redis there is no limit.

Every answer says how many calls are left, by the IETF draft "RateLimit header fields for HTTP".
"""

from http import HTTPStatus
from typing import NamedTuple

from flask import Flask, Response, g, request
from redis import Redis

from tenfold.web.core.problems import problem
from tenfold.web.core.settings import WebSettings
from tenfold.web.server.call_counts import CallCounts

WINDOW_SECONDS = 60

# Health checks are not counted.
UNCOUNTED = frozenset({"api.health.healthz", "api.health.readyz"})

# Calls that create something.
SUBMISSIONS = frozenset(
    {
        "api.trainings.create_training",
        "api.sweeps.create_sweep",
        "api.classifications.create_classification",
        "api.datasets.create_dataset",
        "api.reviews.create_review",
        "api.uploads.create_upload",
        "api.webhooks.create_webhook",
        "api.jobs.retry_job",
    }
)


class Allowance(NamedTuple):
    """What is left of a limit in this minute; negative if exceeded."""

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


def set_up_rate_limits(app: Flask, redis: Redis, settings: WebSettings) -> None:
    """Refuse API calls beyond the limits of the settings with `429`."""
    counts = CallCounts(redis, WINDOW_SECONDS)
    policies = {"requests": settings.max_requests_per_minute, "submissions": settings.max_submissions_per_minute}

    def refuse_beyond() -> Response | None:
        g.allowance = None
        if "api" not in request.blueprints or request.endpoint in UNCOUNTED:
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
            f"The limit is {allowance.most:,} {policy} a minute. Retry in {allowance.seconds} s.",
        )
        refusal.headers["Retry-After"] = str(allowance.seconds)
        return refusal

    def add_headers(response: Response) -> Response:
        allowance: Allowance | None = g.get("allowance")
        if allowance is not None:
            for name, value in allowance.headers.items():
                response.headers.add(name, value)
        return response

    app.before_request(refuse_beyond)
    app.after_request(add_headers)


def caller() -> str:
    """Whose calls are counted: the user's, else those of the address."""
    return str(g.get("owner") or request.remote_addr)
