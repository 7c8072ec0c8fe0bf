"""The object that was referred to, through the frames of a video."""
