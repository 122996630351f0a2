"""Preparing a process: threads, device and precision, before anything else uses Keras."""

import os
import subprocess
import sys

CODE = """
from tenfold.trainer.runtime import configure
try:
    configure(device="gpu")
except RuntimeError as error:
    print(error)
configure(3, device="cpu", precision="mixed_bfloat16")

import keras, tensorflow as tf
print(tf.config.threading.get_intra_op_parallelism_threads(), tf.config.threading.get_inter_op_parallelism_threads())
print(keras.backend.backend(), keras.config.dtype_policy().name, tf.config.get_visible_devices("GPU"))

from tenfold.trainer.runtime import device_in_use, gpu_memory_bytes
print(device_in_use(), gpu_memory_bytes())
"""


def test_a_process_is_configured_as_it_was_asked_for_or_told_what_to_do() -> None:
    """In a process of its own, since a backend is configured once; without a GPU, wherever it runs."""
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}

    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment)

    assert done.stdout.splitlines() == [
        "TensorFlow finds no GPU here: set the device to auto or cpu, or install its GPU drivers.",
        "3 1",
        "tensorflow mixed_bfloat16 []",
        "CPU None",
    ], done.stderr
