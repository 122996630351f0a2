"""The benchmark of the machinery: every part is measured on real servers, and the law is found in its own curve."""

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.scale.conclusions import as_rows, laws, limits
from benchmarks.scale.fitting import Law, fit
from benchmarks.scale.printing import TITLES, tables

# Measures in a process of its own, as it forks.
SMALLEST = """
import json
from benchmarks.scale.extent import Extent
from benchmarks.scale.measuring import measure

extent = Extent(seconds=0.02, rows=(0, 20), claimants=(1, 2), sleepers=(1, 2), spinners=(1,), run_seconds=0.1,
                shard_ms=5, messages=20)
print(json.dumps(list(measure(extent, ("sqlite",)))))
"""


def test_every_part_is_measured() -> None:
    done = subprocess.run([sys.executable, "-c", SMALLEST], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)

    rows += as_rows(laws(rows)) + limits(rows)

    assert {row["part"] for row in rows} == set(TITLES)
    assert all(row["a_second"] > 0 for row in rows if row.get("a_second") is not None)
    assert [row["workers"] for row in rows if row["part"] == "workers"] == [1, 1, 2]
    assert all(title in tables(rows) for title in TITLES.values())


@pytest.mark.parametrize("law", [Law(20, 0, 0), Law(20, 0.05, 0), Law(20, 0.02, 0.001)])
def test_the_law_of_a_curve_is_found(law: Law) -> None:
    workers = [1, 2, 4, 8, 16]

    found = fit(workers, [law.at(number) for number in workers])

    assert [found.first, found.contention, found.coherence] == pytest.approx(
        [law.first, law.contention, law.coherence], abs=1e-9
    )


def test_a_curve_that_falls_has_a_best_number_of_workers() -> None:
    law = Law(first=10, contention=0.1, coherence=0.009)

    assert law.best == pytest.approx(10)
    assert law.limit == law.at(10)
    assert Law(first=10, contention=0.1, coherence=0).limit == pytest.approx(100)
