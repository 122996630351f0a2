"""Imports a model that was made elsewhere: opens its file without running what is in it, and checks its declaration."""
