"""Rules: pure decisions on frozen dataclasses. No Django, no I/O, no clock."""
