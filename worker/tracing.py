"""Traces by OpenTelemetry: one from the request that submitted a job to each of its steps, on whatever worker.

Off, and at no cost, unless OpenTelemetry's own variable `OTEL_EXPORTER_OTLP_ENDPOINT` says where to send them. A
message may be lost, so the trace goes with the job's row: `traceparent` in its `source`.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from worker.leases import Lease

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanProcessor

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

TRACEPARENT = "traceparent"

NANOSECONDS = 1_000_000_000

_provider: "TracerProvider | None" = None


def set_up_tracing(service: str) -> None:
    """Trace what this process does, if somebody is to be told. Call it after the fork."""
    if not any(name in os.environ for name in ENDPOINTS):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning(
            "no traces: %s is set, but their libraries are missing: pip install 'tenfold[telemetry]'", ENDPOINTS[0]
        )
        return
    trace_to(BatchSpanProcessor(OTLPSpanExporter()), service)


def trace_to(processor: "SpanProcessor", service: str) -> "TracerProvider":
    """Trace, and give the spans to this processor."""
    global _provider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    _provider = TracerProvider(resource=Resource.create({"service.name": service}))
    _provider.add_span_processor(processor)
    return _provider


def provider() -> "TracerProvider | None":
    """Who makes this process's spans, None while it is not traced."""
    return _provider


def stop_tracing() -> None:
    """Send what has not been sent; the process is about to end."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
    _provider = None


def trace_link() -> dict[str, str]:
    """What a row carries to be part of the trace that is current here; nothing where there is none."""
    link: dict[str, str] = {}
    if _provider is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(link)
    return link


@contextmanager
def step_traced(lease: Lease, worker: str, now: float) -> Iterator[None]:
    """A span for the block, and one for the wait before it, in the trace that the job was submitted in."""
    if _provider is None:
        yield
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    tracer = _provider.get_tracer("tenfold")
    submitted = TraceContextTextMapPropagator().extract({TRACEPARENT: lease.traceparent or ""})
    attributes: dict[str, str | int] = {
        "tenfold.job": lease.job_id,
        "tenfold.position": lease.position,
        "tenfold.attempt": lease.attempt,
        "tenfold.worker": worker,
    }
    waiting = tracer.start_span(
        f"{lease.kind.value} in line", submitted, attributes=attributes, start_time=int(lease.queued_at * NANOSECONDS)
    )
    waiting.end(int(now * NANOSECONDS))
    with tracer.start_as_current_span(lease.kind.value, submitted, attributes=attributes):
        yield


def note(attributes: Mapping[str, str | float]) -> None:
    """Say something about the span that is current."""
    if _provider is not None:
        from opentelemetry.trace import get_current_span

        get_current_span().set_attributes(attributes)
