"""Checks the labels of a data set, and makes versions of it with corrected labels."""
