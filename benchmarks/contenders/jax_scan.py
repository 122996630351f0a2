"""Tenfold on Keras' JAX backend, an epoch in a few scans. Needs KERAS_BACKEND=jax."""

from benchmarks.contenders.tenfold import train

__all__ = ["train"]
