"""How the language pipeline is trained."""
