"""Compares models on the same labeled images: a data set's test images, or a classification's labeled ones."""
