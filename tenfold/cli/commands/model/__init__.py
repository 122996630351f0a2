"""`tenfold model` and `tenfold alias`."""
