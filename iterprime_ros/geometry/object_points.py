"""Which depth measurements under a mask belong to the object, and not to noise or background."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.plane_fit import local_median, local_plane

# Chosen on scenes 0 to 64 of sim.seeds.CALIBRATION, with masks that bleed and noisy depth.
_SIGMA_OF_MAD = 1.4826  # of a normal distribution
# A step between neighbours that exceeds the largest of these separates two surfaces:
_SLOPE_STEP = 3.0  # pixel widths, the step of a surface seen at 72 degrees
_NOISE_STEP = 1.5  # sigmas of the noise; a median of 25 keeps a quarter of it
_USUAL_STEP = 2.0  # steps between neighbours at the median, for surfaces that are steep all over
_OUTLIER = 2.0  # such steps; a measurement farther from its local median is an outlier
_BLEED = 0.005  # of the image width: how far a mask may extend over its object's edge
_REACH = 0.0125  # of the image width: radius in which the background of an edge pixel is taken
_FEWEST = 20  # pixels of a background
_LEVEL = 2.0  # sigmas of the noise; what is nearer to the background plane may belong to it
_PART = 0.25  # of the largest part; a smaller part must be at the same depth
_FAR = 3.5  # sigmas, by the median absolute deviation, from the depth of the largest part
_SQUARE = np.ones((3, 3), dtype=bool)


def object_pixels(
    depth: NDArray[np.float32], covered: NDArray[np.bool_], camera: Pinhole
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return the rows (N,), columns (N,) and depths (N,) of the object's measurements, N >= 1.

    depth: (h, w) metres, NaN where nothing was measured.
    covered: (h, w) bool, the mask in the depth image, with at least one measurement.
    camera: of the depth image.

    Dropped are outliers, pixels at the edge of the mask that a jump in depth separates from its
    inside or that continue the plane round the mask, and small parts at another depth than the
    largest. Steepness alone drops nothing: an object along the viewing direction stays whole, and
    so does a sheet that lies flat on a table.
    """
    bleed = max(1, round(_BLEED * camera.width))
    reach = max(1, round(_REACH * camera.width))
    window = _window(covered, reach)
    depth, covered = depth[window], covered[window]
    # The mask and its surroundings, onto which it may bleed.
    rows, columns = np.nonzero(ndimage.binary_dilation(covered, _SQUARE, reach))
    within = covered[rows, columns]
    smooth = np.where(
        within,
        local_median(np.where(covered, depth, np.nan), rows, columns),
        local_median(np.where(covered, np.nan, depth), rows, columns),
    )
    known = np.isfinite(smooth)
    rows, columns, within, smooth = rows[known], columns[known], within[known], smooth[known]

    pairs = _neighbours(rows, columns, depth.shape)
    jumps = np.abs(smooth[pairs[0]] - smooth[pairs[1]])
    off = np.abs(depth[rows, columns] - smooth)
    inner_jumps = jumps[within[pairs].all(axis=0)]
    pixel = float(np.median(smooth[within])) / camera.fx
    noise = _SIGMA_OF_MAD * float(np.nanmedian(off[within]))
    step = max(
        _SLOPE_STEP * pixel,
        _NOISE_STEP * noise,
        _USUAL_STEP * float(np.median(inner_jumps)) if len(inner_jumps) else 0.0,
    )
    links = pairs[:, jumps <= step]
    good = within & (off <= _OUTLIER * step)  # False where nothing was measured
    on_grid = np.zeros(depth.shape, dtype=bool)
    on_grid[rows, columns] = good
    inside = _inside(covered, on_grid, bleed)[rows, columns]
    kept = good & (_grow(inside, links, bleed) | ~_grow(~within, links, bleed))
    behind = _background(rows, columns, smooth, within, reach, step)
    level = np.abs(depth[rows, columns] - behind) <= max(_LEVEL * noise, pixel)
    edge = ~ndimage.binary_erosion(covered, _SQUARE, bleed, border_value=1)[rows, columns]
    judged = kept & ~edge & np.isfinite(behind)
    # Only the mask tells where a sheet that lies on its background ends.
    if 2 * np.count_nonzero(level & judged) < np.count_nonzero(judged):
        kept &= ~(edge & level)
    # The rows of a surface seen at a grazing angle must not each become a part.
    kept &= _at_one_depth(kept, pairs[:, jumps <= _OUTLIER * step], smooth, step)
    rows, columns = rows[kept], columns[kept]
    z = depth[rows, columns]
    return rows + window[0].start, columns + window[1].start, z


def _window(covered: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of a mask and of a margin round it, inside the image."""
    held = (np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0))
    rows, columns = (slice(max(0, k[0] - margin), int(k[-1]) + margin + 1) for k in held)
    return rows, columns


def _neighbours(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]
) -> NDArray[np.intp]:
    """Return the index pairs (2, L) of pixels that touch, corners included."""
    number = np.full((shape[0] + 1, shape[1] + 2), -1)
    number[rows, columns + 1] = np.arange(len(rows))
    pairs = []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = number[rows + down, columns + 1 + right]
        first = np.flatnonzero(other >= 0)
        pairs.append(np.stack([first, other[first]]))
    return np.concatenate(pairs, axis=1)


def _inside(covered: NDArray[np.bool_], good: NDArray[np.bool_], bleed: int) -> NDArray[np.bool_]:
    """Return the good pixels that are certainly the object's, even if the mask bleeds that far.

    These are the pixels away from the mask's edge and, in parts too thin to have any, all pixels.
    """
    core = good & ndimage.binary_erosion(covered, _SQUARE, bleed, border_value=1)
    reached = ndimage.binary_dilation(core, _SQUARE, bleed + 1)
    return good & (core | ~reached)


def _background(
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    smooth: NDArray[np.float32],
    within: NDArray[np.bool_],
    reach: int,
    step: float,
) -> NDArray[np.float64]:
    """Return the depths (N,) of the plane round a mask, NaN where there is none.

    Surroundings that scatter by more than a step round their plane may be two surfaces.
    """
    if within.all():
        return np.full(len(rows), np.nan)
    outside = rows[~within], columns[~within], smooth[~within]
    plane, scatter, count = local_plane(*outside, (rows, columns), 2 * reach + 1)
    return np.where((count >= _FEWEST) & (scatter < step), plane, np.nan)


def _grow(kept: NDArray[np.bool_], links: NDArray[np.intp], steps: int) -> NDArray[np.bool_]:
    """Return the pixels within a number of steps along links.

    The steps are few because an object is connected to the background where it stands on it.
    """
    first, second = links
    for _ in range(steps):
        grown = kept.copy()
        grown[second[kept[first]]] = True
        grown[first[kept[second]]] = True
        kept = grown
    return kept


def _at_one_depth(
    kept: NDArray[np.bool_],
    links: NDArray[np.intp],
    smooth: NDArray[np.float32],
    step: float,
) -> NDArray[np.bool_]:
    """Return which pixels do not belong to a small part at another depth than the largest."""
    first, second = links[:, kept[links].all(axis=0)]
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), (len(kept),) * 2)
    count, parts = connected_components(graph, directed=False)
    sizes = np.bincount(parts[kept], minlength=count)
    largest = sizes.argmax()
    main = smooth[parts == largest]
    depth = np.median(main)
    spread = _SIGMA_OF_MAD * np.median(np.abs(main - depth))
    gate = max(_FAR * spread, step)
    away = np.abs(ndimage.median(smooth, parts, np.arange(count)) - depth)
    stays = (sizes > _PART * sizes[largest]) | (away <= gate)
    return stays[parts]
