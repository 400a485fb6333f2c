"""Changke 常客: a membership system for retailers."""
