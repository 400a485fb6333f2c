"""Imports of files: words, profiles, guesses, and the decision about each row."""
