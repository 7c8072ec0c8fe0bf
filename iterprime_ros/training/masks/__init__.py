"""Training of the mask model of the tabletop profile."""
