"""Operating an installation: checks (`doctor`), garbage collection, backup and restore. Loads nothing heavy."""
