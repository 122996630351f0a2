"""OpenTelemetry traces: one per job, from the request that submitted it to each of its steps.

Off, and free of cost, unless OpenTelemetry's variable `OTEL_EXPORTER_OTLP_ENDPOINT` is set. The trace context is kept
in the job's row (`source["traceparent"]`), since a message may be lost.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanProcessor

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

TRACEPARENT = "traceparent"

NANOSECONDS = 1_000_000_000

_provider: "TracerProvider | None" = None


def set_up_tracing(service: str) -> None:
    """Start tracing, if an endpoint is set. Call it after the fork."""
    if not any(name in os.environ for name in ENDPOINTS):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning(
            "no traces: %s is set, but OpenTelemetry is not installed: pip install 'tenfold[telemetry]'", ENDPOINTS[0]
        )
        return
    trace_to(BatchSpanProcessor(OTLPSpanExporter()), service)


def trace_to(processor: "SpanProcessor", service: str) -> "TracerProvider":
    """Start tracing with this span processor."""
    global _provider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    _provider = TracerProvider(resource=Resource.create({"service.name": service}))
    _provider.add_span_processor(processor)
    return _provider


def provider() -> "TracerProvider | None":
    """The tracer provider of this process; None if tracing is off."""
    return _provider


def stop_tracing() -> None:
    """Send what is left; the process is about to end."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
    _provider = None


def trace_link() -> dict[str, str]:
    """The current trace context, for a row to carry; empty if nothing is traced."""
    link: dict[str, str] = {}
    if _provider is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(link)
    return link


@contextmanager
def step_traced(
    name: str, traceparent: str | None, attributes: Mapping[str, str | int], *, queued_at: float, now: float
) -> Iterator[None]:
    """A span for the block, and one for the wait in the queue before it, in the trace that the job was submitted in.

    Args:
        name: of the span.
        traceparent: what `trace_link` gave when the job was submitted; None if nothing was traced then.
        attributes: of both spans.
        queued_at, now: seconds since the epoch.
    """
    if _provider is None:
        yield
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    tracer = _provider.get_tracer("tenfold")
    submitted = TraceContextTextMapPropagator().extract({TRACEPARENT: traceparent or ""})
    waiting = tracer.start_span(
        f"{name} queued", submitted, attributes=attributes, start_time=int(queued_at * NANOSECONDS)
    )
    waiting.end(int(now * NANOSECONDS))
    with tracer.start_as_current_span(name, submitted, attributes=attributes):
        yield


def note(attributes: Mapping[str, str | float]) -> None:
    """Set attributes of the current span."""
    if _provider is not None:
        from opentelemetry.trace import get_current_span

        get_current_span().set_attributes(attributes)
