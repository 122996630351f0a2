"""What Tenfold's own machinery costs, part by part, and where each is full: `python -m benchmarks.scale`."""
