"""Queries: the only readers for pages; `viewer` first, frozen rows out."""
