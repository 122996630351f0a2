"""The array type that most modules share; by itself, since modules without NumPy must not import it."""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
