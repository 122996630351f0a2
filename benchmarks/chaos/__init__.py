"""Breaks a running Tenfold in every way that a plan names, and checks that nothing was lost.

`python -m benchmarks.chaos`; see docs/explanation/reliability.md.
"""
