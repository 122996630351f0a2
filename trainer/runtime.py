"""Prepares Keras and its backend in a process, once, before anything else uses them.

The backend is Keras' own choice: `KERAS_BACKEND`, or TensorFlow where that is not set.
"""

import gc
import os

from trainer.hardware import Device, Precision


def load() -> None:
    """Import Keras and its backend quietly and use neither, so that processes forked from this one are warm.

    Only with TensorFlow: other backends start threads, which a fork would lose.
    """
    _quieten()
    if _backend() == "tensorflow":
        import keras  # noqa: F401

        _keep_out_of_collections()


def configure(threads: int | None = None, *, device: Device = "auto", precision: Precision = "float32") -> None:
    """Import Keras and its backend quietly, so that the process is warm.

    Args:
        threads: for work within one operation on processors; operations themselves run one after the other. None
            for all cores: fastest for a process that has the machine to itself, while processes that share one
            should be given their share.
        device: `auto` takes a GPU where there is one. TensorFlow takes of its memory only what it needs.
        precision: Keras' policy of computing; `mixed_…` is faster on GPUs, and slower on most processors.

    Raises:
        RuntimeError: a GPU is asked for and there is none, or the backend was already in use.
    """
    _quieten()
    backend = _backend()
    if backend == "tensorflow":
        _configure_tensorflow(threads, device)
    elif backend == "jax":
        _configure_jax(threads, device)
    import cv2
    import keras
    from threadpoolctl import threadpool_limits

    # NumPy's products and OpenCV's pictures are small here: their threads would wait for each other, burning a core.
    threadpool_limits(1)
    cv2.setNumThreads(1)
    keras.config.set_dtype_policy(precision)
    _keep_out_of_collections()


def _quieten() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _backend() -> str:
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def _keep_out_of_collections() -> None:
    """Some million objects stay for good: the collector of cycles need not go through them again and again."""
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
        os.environ["NPROC"] = str(threads)  # what XLA's processor client sizes its pool by
    if device != "auto":
        os.environ["JAX_PLATFORMS"] = {"cpu": "cpu", "gpu": "cuda"}[device]
    import jax

    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:
        raise RuntimeError(f"JAX finds no {device} here: set the device to auto or cpu.") from error
