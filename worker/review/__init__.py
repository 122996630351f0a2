"""Corrections of uncertain answers, and the job that merges them into results and a data set."""
