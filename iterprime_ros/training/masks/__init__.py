"""How the mask proposer of the tabletop profile is trained."""
