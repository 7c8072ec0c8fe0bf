"""Which measurements under a mask are the object's, and not errors or what the mask runs onto."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.plane_fit import local_median, local_plane

# Chosen on scenes 0 to 64 of sim.seeds.CALIBRATION, with masks that bleed and depth that is noisy.
_SIGMA_OF_MAD = 1.4826  # of a normal distribution
# More than the largest of these between neighbours parts two surfaces:
_SLOPE_STEP = 3.0  # pixel widths, the step of a surface seen at 72 degrees
_NOISE_STEP = 1.5  # sigmas of the noise, of which a median of 25 keeps a quarter
_USUAL_STEP = 2.0  # steps between neighbours at the median, for surfaces that are steep all over
_OUTLIER = 2.0  # such steps: a measurement farther from the median round it is wrong
_BLEED = 0.005  # of the image's width: how far a mask may run over its object's edge
_ROUND = 0.0125  # of the image's width: how far round an edge pixel its background is looked at
_FEWEST = 20  # pixels that make a background
_LEVEL = 2.0  # sigmas of the noise: what is nearer to the background's plane may be part of it
_PART = 0.25  # of the largest part: a part that is smaller has to be at its depth
_FAR = 3.5  # sigmas, by the median absolute deviation, from the depth of the largest part
_SQUARE = np.ones((3, 3), dtype=bool)


def object_pixels(
    depth: NDArray[np.float32], covered: NDArray[np.bool_], camera: Pinhole
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return the rows, columns (N,) and depths (N,) of the measurements that are the object's.

    depth: (h, w) metres, NaN where not measured. covered: (h, w), what the mask covers of it, with
    at least one measurement. camera: the depth image's own. N is at least 1.

    Dropped are measurements that stand out from their neighbours, pixels at the mask's edge that a
    jump in depth parts from its inside or that continue the plane round the mask, and small parts
    at another depth than the largest. Steepness alone drops nothing: what lies along the viewing
    direction stays whole, and so does a sheet that lies flat on a table.
    """
    bleed = max(1, round(_BLEED * camera.width))
    reach = max(1, round(_ROUND * camera.width))
    window = _window(covered, reach)
    depth, covered = depth[window], covered[window]
    # The mask and, to see what it may bleed onto, what is round it.
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
    # Of a sheet that lies on its background only the mask says where it ends.
    if 2 * np.count_nonzero(level & judged) < np.count_nonzero(judged):
        kept &= ~(edge & level)
    # Rows of what is seen very flat must not each be a part.
    kept &= _at_one_depth(kept, pairs[:, jumps <= _OUTLIER * step], smooth, step)
    rows, columns = rows[kept], columns[kept]
    z = depth[rows, columns]
    return rows + window[0].start, columns + window[1].start, z


def _window(covered: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Return the rows and columns that hold a mask and, where the image has them, a margin."""
    held = (np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0))
    rows, columns = (slice(max(0, k[0] - margin), int(k[-1]) + margin + 1) for k in held)
    return rows, columns


def _neighbours(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]
) -> NDArray[np.intp]:
    """Return the pairs (2, L) of those pixels that touch, corners included, by their places."""
    number = np.full((shape[0] + 1, shape[1] + 2), -1)
    number[rows, columns + 1] = np.arange(len(rows))
    pairs = []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = number[rows + down, columns + 1 + right]
        first = np.flatnonzero(other >= 0)
        pairs.append(np.stack([first, other[first]]))
    return np.concatenate(pairs, axis=1)


def _inside(covered: NDArray[np.bool_], good: NDArray[np.bool_], bleed: int) -> NDArray[np.bool_]:
    """Return the good pixels that are the object's although the mask may bleed that far.

    Those are the ones away from the mask's edge, and those with none such in reach, in parts that
    are too thin to have any.
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
    """Return at what depths (N,) the plane round a mask would be seen, NaN where there is none.

    What scatters by more than a step round its plane may be two surfaces and is not taken for one.
    """
    if within.all():
        return np.full(len(rows), np.nan)
    outside = rows[~within], columns[~within], smooth[~within]
    plane, scatter, count = local_plane(*outside, (rows, columns), 2 * reach + 1)
    return np.where((count >= _FEWEST) & (scatter < step), plane, np.nan)


def _grow(kept: NDArray[np.bool_], links: NDArray[np.intp], steps: int) -> NDArray[np.bool_]:
    """Return the pixels that a number of steps along links leads to.

    The few steps matter: all round an object runs the background that a mask bleeds onto, and
    where the object stands on it no jump parts them.
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
    """Return which pixels are not of a small part that is at another depth than the largest."""
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
