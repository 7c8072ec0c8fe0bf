"""Reproducible training of the shipped weights."""
