"""The jobs: what a job is, its record, states, files, queue and leases, and the Celery worker that runs it.

Knows nothing of HTTP. The web side uses `jobs`, `submissions`, `volume`, `queue`, `progress` and
`settings`; only the worker process itself imports `app`, which reaches the trainer's Keras code.
"""
