"""Console: the back office of the staff."""
