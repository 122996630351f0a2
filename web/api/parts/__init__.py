"""What several calls of the API share: reading requests, caching, held-open polls, and predictions."""
