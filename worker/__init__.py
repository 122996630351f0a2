"""The jobs: their rows, files, queue and leases, the work of each kind, and the Celery worker that runs it.

Knows nothing of HTTP. Only the worker and predictor processes load TensorFlow; the web uses everything that does not.
"""
