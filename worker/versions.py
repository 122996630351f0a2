"""The version of the data that workers exchange: step parameters, plans, shards, checkpoints and messages.

During a rolling upgrade old and new workers share a database and a Redis (docs/operations/maintenance.md). A step's row
and its message say which version of workers can do the step. Web and workers write steps of their own version, and take
those up to it. A claimed step gets the version of its worker, since the files it leaves are in that worker's form.

Raise STEP_VERSION when an older worker could not do what this code writes, and keep reading what older code wrote, from
OLDEST_STEP_VERSION on. `tests/worker/db/test_versions.py` notices most such changes.
"""

STEP_VERSION = 8

# Migration 0010 rewrote everything older.
OLDEST_STEP_VERSION = 3
