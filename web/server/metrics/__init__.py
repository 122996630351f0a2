"""`GET /metrics`: metrics for Prometheus, of the requests and of database, Redis and volume."""
