"""Gateways: files and, later, every service of the outside world."""
