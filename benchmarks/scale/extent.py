"""How much is measured: all of it, or a little to see that it works."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """Sizes of a run.

    `rows` are the queued jobs that the tables hold meanwhile. `claimants` are threads or processes that claim at once,
    `sleepers` and `spinners` workers on work that waits and on work that computes. `seconds` is how long each rate is
    measured, `run_seconds` about how long a job for the workers takes, of shards of `shard_ms`.
    """

    seconds: float
    rows: tuple[int, ...]
    claimants: tuple[int, ...]
    sleepers: tuple[int, ...]
    spinners: tuple[int, ...]
    run_seconds: float
    shard_ms: int
    messages: int


FULL = Extent(
    seconds=0.6,
    rows=(0, 10_000, 100_000),
    claimants=(1, 2, 4, 8, 16),
    sleepers=(1, 2, 4, 8, 16, 24),
    spinners=(1, 2, 4),
    run_seconds=4,
    shard_ms=50,
    messages=5_000,
)
QUICK = Extent(
    seconds=0.1,
    rows=(0, 10_000),
    claimants=(1, 4),
    sleepers=(1, 4, 8),
    spinners=(1, 2),
    run_seconds=1,
    shard_ms=50,
    messages=1_000,
)
