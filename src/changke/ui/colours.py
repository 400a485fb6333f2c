"""The one map of meaning to colour. changke.css names the same values (a test compares); charts read them from there.

Chosen so that neighbours differ in lightness as well as hue: they stay apart for colour-blind eyes and in grey print.
"""

from typing import Final

LIFE: Final = {
    "new": "#5aa9e6",
    "returning": "#f2b134",
    "active": "#0f766e",
    "sleeping": "#6d5fa8",
    "lost": "#c2543d",
    "unbought": "#b8b2a7",
}
STAGES: Final = {
    "introduction": "#5aa9e6",
    "growth": "#f2b134",
    "maturity": "#0f766e",
    "dormancy": "#6d5fa8",
    "loss": "#c2543d",
    "unknown": "#b8b2a7",
}
TIERS: Final = {"regular": "#d6d3d1", "silver": "#9ca3af", "gold": "#e3b341", "diamond": "#93b4f5"}
SCORES: Final = {1: "#dcefec", 2: "#a7d5cf", 3: "#5fb0a7", 4: "#1f857b", 5: "#0b4f4a"}
SERIES: Final = ("#0f766e", "#f2b134", "#5aa9e6", "#6d5fa8", "#c2543d", "#8a8178")
