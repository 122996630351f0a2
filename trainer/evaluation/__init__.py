"""Evaluates a trained model: accuracy, calibration, which answers to accept, and out-of-distribution detection."""
