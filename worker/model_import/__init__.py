"""The job that imports a model which was made elsewhere."""
