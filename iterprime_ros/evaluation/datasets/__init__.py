"""Data sets of images with referring expressions and true masks."""
