"""`GET /metrics`, in Prometheus' format."""

from importlib.metadata import version

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import CollectorRegistry, Info, PlatformCollector, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from tenfold.web.core.services import EXTENSION
from tenfold.web.server.metrics.requests import count_requests
from tenfold.web.server.metrics.state import State

REGISTRY = "tenfold-metrics"

metrics = Blueprint("metrics", __name__)


@metrics.get("/metrics")
def show() -> Response:
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(current_app.extensions[REGISTRY]), content_type=content_type)


def set_up_metrics(app: Flask) -> None:
    """Add the metrics and their page. Call before registering anything that may refuse requests."""
    disable_created_metrics()
    registry = CollectorRegistry()
    app.extensions[REGISTRY] = registry
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    Info("tenfold", "The version of Tenfold.", registry=registry).info({"version": version("tenfold")})
    count_requests(app, registry)
    registry.register(State(app.extensions[EXTENSION]))
    app.register_blueprint(metrics)
