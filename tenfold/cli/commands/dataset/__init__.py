"""`tenfold dataset`."""
