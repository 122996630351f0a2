"""Users of a shared Tenfold: passwords, API keys, sessions and quotas. `web/auth` applies them to requests."""
