"""Authentication and authorization: sessions, API keys, the start-up token, and what each route requires."""
