"""Classifies single images: the queue to the predictor, and the predictor."""
