"""The job that trains a model."""
