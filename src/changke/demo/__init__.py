"""Demo: a seeded simulator of a shop and its shoppers; writes only through actions."""
