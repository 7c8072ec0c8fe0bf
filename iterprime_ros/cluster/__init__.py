"""Many images on many processes, GPUs and machines, by Ray Data."""
