"""Lobby: what every door shares - viewer, permissions, middleware, sign-in."""
