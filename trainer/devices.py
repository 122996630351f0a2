"""What the backend computes on in this process, told for people. Call after `runtime.configure`."""

import os


def device_in_use() -> str:
    """`GPU` with the name of the first one that this process may use, else `CPU`."""
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
    """What the tensors of this process take on the first GPU that it may use; None where there is none."""
    if _backend() == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.get_visible_devices("GPU")
        return int(tf.config.experimental.get_memory_info("GPU:0")["current"]) if gpus else None
    if _backend() == "jax":
        import jax

        figures = jax.devices()[0].memory_stats()
        return int(figures["bytes_in_use"]) if figures else None
    return None


def _backend() -> str:
    return os.environ.get("KERAS_BACKEND", "tensorflow")
