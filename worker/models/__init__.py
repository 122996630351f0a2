"""The registry of trained models, and the cache of loaded ones."""
