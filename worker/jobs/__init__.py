"""The life of a job, whatever its kind: its row and steps, leases, the queue, and the order in which jobs are taken."""
