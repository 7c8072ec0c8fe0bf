"""Baselines that an evaluation compares a model with, one file each."""
