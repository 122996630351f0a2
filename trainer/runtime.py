"""Prepares TensorFlow in a process, once, before anything else uses it."""

import os


def configure(threads: int = 1) -> None:
    """Import Keras and TensorFlow quietly, so that the process is warm, and bound their threads.

    One thread is fastest for small dense nets, and lets several workers share a machine without fighting.

    Args:
        threads: for work within one operation; operations themselves run one after the other.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import keras  # noqa: F401
