"""How large an input may be."""

# Of an image; two frames of 3840 x 2160. A small file may claim far more than memory can hold.
MAX_PIXELS = 2 * 3840 * 2160
