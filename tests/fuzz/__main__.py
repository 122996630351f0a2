"""Fuzz one target for a time: `nice -n 19 python -m tests.fuzz image --seconds 300`. Needs `pip install atheris`.

Ends with 0 and the number of executions, or with another status at the first finding, which is left in the directory
that `--keep` names.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tenfold.trainer", "tenfold.worker.sources", "zipfile", "tarfile", "PIL"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.seeds import write_seeds

MAX_BYTES = 1 << 14
# One execution that takes longer, or more, is a finding.
SECONDS_EACH, MEBIBYTES = 25, 2048


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()), help="where a finding is left")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tenfold-corpus-") as corpus:
        write_seeds(given.target, Path(corpus))
        options = [
            f"-max_total_time={given.seconds}",
            f"-max_len={MAX_BYTES}",
            f"-timeout={SECONDS_EACH}",
            f"-rss_limit_mb={MEBIBYTES}",
            f"-artifact_prefix={given.keep}/",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, corpus], TARGETS[given.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
