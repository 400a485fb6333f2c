"""Reports in set form: the figures that rules/reports defines, counted over the lake."""
