"""Which of the objects in a frame a phrase means: measurements, relations and reasoning."""
