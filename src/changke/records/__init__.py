"""Records: Django models, constraints and migrations; one file a noun."""
