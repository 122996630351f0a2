"""The people who use a shared Tenfold: their names and passwords, their API keys, what each may do, and how much.

Knows nothing of HTTP; `web/access` finds out who is asking, and holds people to this.
"""
