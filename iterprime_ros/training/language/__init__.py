"""Training of the language pipeline."""
