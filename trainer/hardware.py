"""The choices of hardware and arithmetic that a person has; `runtime.py` puts them into effect."""

from typing import Literal

Device = Literal["auto", "cpu", "gpu"]
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
