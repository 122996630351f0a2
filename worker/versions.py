"""The version of what workers have to understand of each other, so that old and new ones share a database and a Redis.

A step's row says from which version on a worker can do it, and so does its message. Web and workers write steps of
their own version and take those up to it. A step that is claimed gets the version of whoever claims it, since the files
that it leaves are theirs. docs/upkeep.md says what follows for an update.

Raise STEP_VERSION when a worker of before could not do what this code writes: with a new kind of step, a new parameter,
another form of a plan, a shard, a checkpoint or a message. Everything older must still be understood.
`tests/worker/test_versions.py` notices most of it.
"""

STEP_VERSION = 2
