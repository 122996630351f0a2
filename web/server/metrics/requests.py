"""Counts requests and their durations by route, never by address: the number of addresses is unlimited."""

import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Streams are held open; their duration says nothing about the web.
STREAMS = frozenset({"api.events.follow_job"})


def count_requests(app: Flask, registry: CollectorRegistry) -> None:
    """Count every request. Call before registering anything that may refuse requests."""
    requests = Counter(
        "tenfold_http_requests",
        "Requests, by method, route and status.",
        ["method", "route", "status"],
        registry=registry,
    )
    seconds = Histogram(
        "tenfold_http_request_seconds",
        "Duration of requests, by route, without waiting polls and streams.",
        ["route"],
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
        registry=registry,
    )

    # Caches: looking up labels takes a lock.
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
