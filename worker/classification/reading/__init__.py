"""Reads the images of a source, page by page, ahead of the model."""
