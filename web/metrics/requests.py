"""How many requests there are, and how soon they are answered, by route: never by address, of which there is no end."""

import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Answers to these are held open: how long says how busy the job was, not the web.
STREAMS = frozenset({"api.follow_job"})


def count_requests(app: Flask, registry: CollectorRegistry) -> None:
    """Count every request of the application. To be called before whatever may refuse one."""
    requests = Counter(
        "tenfold_http_requests",
        "Requests, by method, route and status of the answer.",
        ["method", "route", "status"],
        registry=registry,
    )
    seconds = Histogram(
        "tenfold_http_request_seconds",
        "From a request to its answer, by route; without polls and streams that are held open.",
        ["route"],
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
        registry=registry,
    )

    # A label is looked up by its text, with a lock; of what has been counted before the counters are at hand.
    counted: dict[tuple[str, str, int], Counter] = {}
    timed: dict[str, Histogram] = {}

    def start() -> None:
        g.started = time.perf_counter()

    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "unknown"
        method = request.method if request.method in METHODS else "other"
        answer = (method, route, response.status_code)
        if answer not in counted:
            counted[answer] = requests.labels(method, route, str(response.status_code))
        counted[answer].inc()
        if request.endpoint not in STREAMS and b"wait=" not in request.query_string:
            if route not in timed:
                timed[route] = seconds.labels(route)
            timed[route].observe(time.perf_counter() - g.started)
        return response

    app.before_request(start)
    app.after_request(count)
