"""Fuzzing with atheris of what reads files from strangers: `python -m tests.fuzz TARGET --seconds N`."""
