"""Data sets of images with referring expressions and ground-truth masks, one file each."""
