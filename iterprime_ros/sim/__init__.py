"""The tabletop world: scenes, their rendering, and expressions whose meaning is known."""
