"""Configures Keras and its backend once for a process, before anything else uses them, and reports the device in use.

The backend is what Keras chooses: `KERAS_BACKEND`, or TensorFlow if that is not set.
"""

import gc
import os
from typing import Literal

Device = Literal["auto", "cpu", "gpu"]
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]


def load() -> None:
    """Import Keras and TensorFlow without using them, so that processes forked from this one start fast.

    Does nothing with other backends: they start threads, which do not survive a fork.
    """
    _silence()
    if _backend() == "tensorflow":
        import keras  # noqa: F401

        _exempt_from_garbage_collection()


def configure(threads: int | None = None, *, device: Device = "auto", precision: Precision = "float32") -> None:
    """Import and configure Keras and its backend.

    Args:
        threads: CPU threads within one operation; operations run one at a time. None uses all cores: best if nothing
            else runs on the machine.
        device: `auto` uses a GPU if there is one. TensorFlow allocates only the GPU memory that it needs.
        precision: Keras' dtype policy; `mixed_…` is faster on GPUs and slower on most CPUs.

    Raises:
        RuntimeError: a GPU is requested and none is found, or the backend was already in use.
    """
    _silence()
    backend = _backend()
    if backend == "tensorflow":
        _configure_tensorflow(threads, device)
    elif backend == "jax":
        _configure_jax(threads, device)
    import cv2
    import keras
    from threadpoolctl import threadpool_limits

    # Matrices and images are small here: more threads would only wait for each other.
    threadpool_limits(1)
    cv2.setNumThreads(1)
    keras.config.set_dtype_policy(precision)
    _exempt_from_garbage_collection()


def device_in_use() -> str:
    """`GPU` and the name of the first visible one, or `CPU`. Call after `configure`."""
    if _backend() == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.get_visible_devices("GPU")
        details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
        return f"GPU {details.get('device_name', '')}".strip() if gpus else "CPU"
    if _backend() == "jax":
        import jax

        device = jax.devices()[0]
        return "CPU" if device.platform == "cpu" else f"GPU {device.device_kind}"
    return "CPU"


def gpu_memory_bytes() -> int | None:
    """Memory that this process's tensors use on the first visible GPU; None without one. Call after `configure`."""
    if _backend() == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.get_visible_devices("GPU")
        return int(tf.config.experimental.get_memory_info("GPU:0")["current"]) if gpus else None
    if _backend() == "jax":
        import jax

        figures = jax.devices()[0].memory_stats()
        return int(figures["bytes_in_use"]) if figures else None
    return None


def _silence() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _backend() -> str:
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def _exempt_from_garbage_collection() -> None:
    """About a million objects live as long as the process; the collector need not visit them each time."""
    gc.collect()
    gc.freeze()


def _configure_tensorflow(threads: int | None, device: Device) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads or 0)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    gpus = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise RuntimeError("TensorFlow finds no GPU here: set the device to auto or cpu, or install its GPU drivers.")
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    else:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)


def _configure_jax(threads: int | None, device: Device) -> None:
    if threads is not None:
        os.environ["NPROC"] = str(threads)  # XLA's CPU client sizes its thread pool by it
    if device != "auto":
        os.environ["JAX_PLATFORMS"] = {"cpu": "cpu", "gpu": "cuda"}[device]
    import jax

    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:
        raise RuntimeError(f"JAX finds no {device} here: set the device to auto or cpu.") from error
