"""Who is asking, and whether they may: sign-in, API keys, what each route needs, and pages for people and keys."""
