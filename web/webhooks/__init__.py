"""Sends webhooks, to public addresses only."""
