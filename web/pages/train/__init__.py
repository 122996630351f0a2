"""The page that starts a training."""
