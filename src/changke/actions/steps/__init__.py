"""Steps: what actions share. Never called from outside actions."""
