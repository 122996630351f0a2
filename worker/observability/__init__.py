"""What can be seen of the processes: logs, metrics, traces, and which workers are online."""
