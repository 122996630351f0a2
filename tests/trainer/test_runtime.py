"""Preparing a process: threads, device and precision, before anything else uses Keras.

Each in a process of its own, since a backend is configured once.
"""

import os
import subprocess
import sys


def configured(arguments: str, then: str = "") -> "subprocess.CompletedProcess[str]":
    code = f"from trainer.runtime import configure\nconfigure({arguments})\n{then}"
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


def test_threads_device_and_precision_are_those_that_were_asked_for() -> None:
    done = configured(
        "3, device='cpu', precision='mixed_bfloat16'",
        "import keras, tensorflow as tf\n"
        "threading = tf.config.threading\n"
        "print(threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads())\n"
        "print(keras.backend.backend(), keras.config.dtype_policy().name, tf.config.get_visible_devices('GPU'))\n",
    )

    assert done.stdout.splitlines() == ["3 1", "tensorflow mixed_bfloat16 []"], done.stderr


def test_a_gpu_that_is_not_there_is_refused_with_what_to_do() -> None:
    done = configured("device='gpu'")

    assert done.returncode == 1
    assert "RuntimeError: TensorFlow finds no GPU here: set the device to auto or cpu" in done.stderr
