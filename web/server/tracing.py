"""A span for each request, if tracing is on (`worker/observability/tracing.py`)."""

from flask import Flask

from tenfold.worker.observability.tracing import provider, set_up_tracing

# Polled by machines.
UNTRACED = "healthz,readyz,metrics,static"


def trace_requests(app: Flask) -> None:
    """Trace the requests of the application, if tracing is on."""
    set_up_tracing("tenfold-web")
    tracer_provider = provider()
    if tracer_provider is None:
        return
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    FlaskInstrumentor().instrument_app(app, tracer_provider=tracer_provider, excluded_urls=UNTRACED)
