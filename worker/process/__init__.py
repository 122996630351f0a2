"""The processes that work on jobs: the Celery worker, the one-shot worker, and the runner of a step under its lease."""
