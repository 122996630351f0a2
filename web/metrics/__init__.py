"""`GET /metrics`: what Prometheus is told by the web, which is also what rows, Redis and the volume say."""
