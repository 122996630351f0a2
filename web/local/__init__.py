"""`tenfold up`: Redis, worker, predictor and web as children of one process."""
