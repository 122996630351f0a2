"""The HTTP server: overload, timeouts, rate limits, logs, metrics, traces, static files."""
