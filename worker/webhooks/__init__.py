"""Stores webhooks, and the deliveries to make when jobs end; `web/webhooks` sends them."""
