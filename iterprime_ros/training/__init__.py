"""How the shipped weights were made, re-runnable."""
