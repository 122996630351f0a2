"""Print the requirements in pyproject.toml: the base ones and those of the extras named on the command line.

Without the extra `gpu` TensorFlow comes in its build for processors, which is the same without a gigabyte of CUDA code.
For ARM its usual build has none either.
"""

import platform
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

OWN_EXTRAS = re.compile(r"tenfold\[([a-z0-9,]+)\]")


def requirements(project: dict[str, Any], extras: Iterable[str]) -> Iterator[str]:
    """Those of these extras, and of the extras that they name in turn; a requirement may come more than once."""
    for line in (line for extra in extras for line in project["optional-dependencies"][extra]):
        own = OWN_EXTRAS.fullmatch(line)
        yield from requirements(project, own[1].split(",")) if own else [line]


if __name__ == "__main__":
    extras = sys.argv[1:]
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    lines = sorted({*project["dependencies"], *requirements(project, extras)})
    if "gpu" not in extras and platform.machine() == "x86_64":
        lines = [line.replace("tensorflow>=", "tensorflow-cpu>=") for line in lines]
    print(*lines, sep="\n")
