"""Training of the matcher of the tabletop profile."""
