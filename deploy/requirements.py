"""Print the requirements in pyproject.toml: the base ones and those of the extras named on the command line.

Without the extra `gpu` TensorFlow comes in its build for processors, which is the same without a gigabyte of CUDA code.
For ARM its usual build has none either.
"""

import platform
import sys
import tomllib
from pathlib import Path

extras = sys.argv[1:]
project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
requirements = project["dependencies"] + [line for extra in extras for line in project["optional-dependencies"][extra]]
if "gpu" not in extras and platform.machine() == "x86_64":
    requirements = [line.replace("tensorflow>=", "tensorflow-cpu>=") for line in requirements]
print(*requirements, sep="\n")
