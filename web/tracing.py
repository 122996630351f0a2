"""A span for each request, where traces are switched on (`worker/tracing.py`)."""

from flask import Flask

from worker.tracing import provider, set_up_tracing

# Asked again and again by machines.
UNTRACED = "healthz,readyz,metrics,static"


def trace_requests(app: Flask) -> None:
    """Trace what the application answers, if this process is traced."""
    set_up_tracing("tenfold-web")
    tracer_provider = provider()
    if tracer_provider is None:
        return
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    FlaskInstrumentor().instrument_app(app, tracer_provider=tracer_provider, excluded_urls=UNTRACED)
