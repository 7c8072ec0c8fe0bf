"""Videos and folders of frames: what `iterprime segment --track` reads and writes."""
