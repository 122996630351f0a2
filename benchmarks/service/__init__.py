"""The service under load, all of `tenfold up` at once: `python -m benchmarks.service`; see docs/benchmarks/service.md.

| module | measures |
|---|---|
| `latencies` | single calls, idle and while it works |
| `capacity` | each kind of call by many clients at once, beside a bare Flask route on the same server |
| `overload` | a mix of calls at the rated load and at ten times that |
| `soak` | memory and open files over a long time (`--soak MINUTES`) |
"""
