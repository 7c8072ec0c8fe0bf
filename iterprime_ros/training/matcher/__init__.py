"""How the matcher of the tabletop profile is trained."""
