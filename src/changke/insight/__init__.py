"""Insight: the lake and analytics as Ibis expressions; Arrow in, Arrow out."""
