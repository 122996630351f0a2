"""The targets of the fuzzer take what it begins with, whole and damaged, without atheris."""

import pytest

from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_are_taken_whole_cut_and_changed(target: str) -> None:
    seeds = SEEDS[target]()
    assert seeds

    for seed in seeds:
        half = len(seed) // 2
        for data in (seed, seed[:half], seed[:half] + b"\xff" + seed[half + 1 :]):
            TARGETS[target](data)
