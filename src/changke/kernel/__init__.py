"""Kernel: money, clock, ids, periods, errors, job names. Standard library only."""
