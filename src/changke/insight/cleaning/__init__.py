"""Cleaning: text tables of any source become the canonical tables of insight/staging.py, in set form on DuckDB."""
