"""Classifies images in bulk: the steps plan, shard and merge, and the results they write."""
