"""From a mask and a registered depth image to the visible surface in 3D.

Everything is in the camera's optical frame (REP 103: x right, y down, z forward), in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.transform import Rotation

from iterprime_ros.errors import InvalidImageError, IterprimeError

_DTYPES = {'16UC1': 'u2', '32FC1': 'f4'}

# Chosen on scenes 0 to 64 of sim.seeds.CALIBRATION, with masks that bleed and depth that is noisy.
_SIGMA_OF_MAD = 1.4826  # of a normal distribution
# More than the largest of these between neighbours parts two surfaces:
_SLOPE_STEP = 3.0  # pixel widths, the step of a surface seen at 72 degrees
_NOISE_STEP = 1.5  # sigmas of the noise, of which a median of 25 keeps a quarter
_USUAL_STEP = 2.0  # steps between neighbours at the median, for surfaces that are steep all over
_OUTLIER = 2.0  # such steps: a measurement farther from the median round it is wrong
_BLEED = 0.005  # of the image's width: how far a mask may run over its object's edge
_PART = 0.25  # of the largest part: a part that is smaller has to be at its depth
_FAR = 3.5  # sigmas, by the median absolute deviation, from the depth of the largest part
_SQUARE = np.ones((3, 3), dtype=bool)
_RIDGE = 0.05  # pixels squared, far below the variance of any 5 x 5 pixels
_EXTENT = (0.5, 99.5)  # percentiles between which a box holds its points


class InvalidDepthError(IterprimeError):
    """A depth image that cannot be read, does not fit its image, or says nothing of the object."""


class InvalidCalibrationError(IterprimeError):
    """A camera_info that is no pinhole camera, or is another image's."""


@dataclass(frozen=True)
class Pinhole:
    """A pinhole camera without distortion; pixel (0, 0) is the centre of the top left pixel.

    fx, fy, cx, cy: in pixels of the image, whose size is width x height.
    Raises InvalidCalibrationError unless the focal lengths and the size are above 0 and all is
    finite.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    def __post_init__(self) -> None:
        numbers = (self.fx, self.fy, self.cx, self.cy)
        if not (np.all(np.isfinite(numbers)) and self.fx > 0 and self.fy > 0):
            raise InvalidCalibrationError(
                f'The camera_info has fx {self.fx:g}, fy {self.fy:g}, cx {self.cx:g} and '
                f'cy {self.cy:g}, which is no camera; calibrate it, or publish its K.'
            )
        if self.width < 1 or self.height < 1:
            raise InvalidCalibrationError(
                f'The camera_info is of an image of {self.width} x {self.height} pixels; '
                'publish the width and height that it was calibrated at.'
            )

    def resized(self, width: int, height: int) -> 'Pinhole':
        """Return the camera whose pixels divide the same field of view into another number.

        Pixel centres lie at whole numbers, so the image begins half a pixel before 0.
        """
        across, down = width / self.width, height / self.height
        return Pinhole(
            self.fx * across,
            self.fy * down,
            (self.cx + 0.5) * across - 0.5,
            (self.cy + 0.5) * down - 0.5,
            width,
            height,
        )


@dataclass(frozen=True)
class Surface:
    """The surface of an object that the camera sees, in the optical frame, in metres.

    points: (N, 3) float32, as measured; colours: (N, 3) uint8 RGB; point_count: N, at least 1.
    centroid: (3,) float64, the mean of the points.
    position: (3,) float64, the centre of a box round the surface along its principal axes.
    orientation: (4,) float64, the unit quaternion (x, y, z, w), w >= 0, that turns the box's axes
    into the frame's. x is the longest axis and z the shortest; z points towards the camera; x
    points to the image's right, or down where it is more upright than level; y completes a
    right-handed frame. size: (3,) float64, whole extents, size[0] >= size[1] >= size[2] >= 0.

    A parallel gripper approaches against z and closes along y, over a width of size[1]. The far
    side is not seen: size[2] is how deep the seen side is, not how thick the object. Where two
    sizes are about equal, their axes may turn into each other from one image to the next.
    """

    point_count: int
    centroid: NDArray[np.float64]
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    size: NDArray[np.float64]
    points: NDArray[np.float32]
    colours: NDArray[np.uint8]


def metric(depth: NDArray, encoding: str) -> NDArray[np.float32]:
    """Return a depth image (H, W) in metres, NaN where nothing was measured (REP 118).

    encoding: 16UC1 (uint16, millimetres, 0 for none) or 32FC1 (float32, metres; NaN, infinity and
    anything up to 0 for none).
    Raises InvalidDepthError for another encoding, dtype or shape.
    """
    if encoding not in _DTYPES:
        raise InvalidDepthError(
            f'Depth cannot be read from encoding "{encoding}"; '
            'publish 16UC1 (millimetres) or 32FC1 (metres).'
        )
    if depth.ndim != 2 or depth.dtype.newbyteorder('=') != np.dtype(_DTYPES[encoding]):
        raise InvalidDepthError(
            f'A depth image of encoding {encoding} cannot be {depth.dtype} of shape {depth.shape}; '
            'its message contradicts itself.'
        )
    metres = depth.astype(np.float32)
    if encoding == '16UC1':
        metres /= 1000
    with np.errstate(invalid='ignore'):  # comparing a signalling NaN
        metres[~((metres > 0) & (metres < np.inf))] = np.nan
    return metres


def surface(
    depth: NDArray[np.float32],
    mask: NDArray[np.bool_],
    rgb: NDArray[np.uint8],
    pinhole: Pinhole,
) -> Surface:
    """Return the visible surface of what a mask covers, without outliers.

    depth: (h, w) metres as `metric` returns it, registered to the image: the same field of view,
    of any resolution. mask: (H, W) bool. rgb: (H, W, 3) uint8. pinhole: the image's, H x W.

    Dropped are measurements that stand out from their neighbours, pixels at the mask's edge that a
    jump in depth parts from its inside, and small parts at another depth than the largest.
    Steepness alone drops nothing: what lies along the viewing direction stays whole.

    Raises InvalidImageError for a mask or image of another shape or dtype; InvalidCalibrationError
    for a calibration of another size; InvalidDepthError for depth of another aspect ratio (by more
    than 1 in 100), an empty mask, and a mask without a single measurement.
    """
    _check(depth, mask, rgb, pinhole)
    # The image's pixel in which the centre of each depth pixel lies.
    image_rows, image_columns = (
        (2 * np.arange(few) + 1) * full // (2 * few)
        for few, full in zip(depth.shape, mask.shape, strict=True)
    )
    covered = mask[np.ix_(image_rows, image_columns)]
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan)
    if not np.isfinite(depth[covered]).any():
        raise InvalidDepthError(
            'The depth image has no measurement on the object; it may be too near, too far, '
            'shiny or transparent.'
        )
    camera = pinhole.resized(depth.shape[1], depth.shape[0])
    rows, columns, z = _clean(depth, covered, camera)
    points = _back_project(rows, columns, z, camera)
    # Noise would thicken what is thin.
    even = _back_project(rows, columns, _local_plane(rows, columns, z), camera)
    position, orientation, size = _box(even)
    return Surface(
        point_count=len(points),
        centroid=points.mean(axis=0),
        position=position,
        orientation=orientation,
        size=size,
        points=points.astype(np.float32),
        colours=rgb[image_rows[rows], image_columns[columns]],
    )


def _check(depth: NDArray, mask: NDArray, rgb: NDArray, pinhole: Pinhole) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise InvalidImageError(
            f'The image is {rgb.dtype} of shape {rgb.shape}; give (H, W, 3) uint8.'
        )
    if mask.dtype != np.bool_ or mask.shape != rgb.shape[:2]:
        raise InvalidImageError(
            f'The mask is {mask.dtype} of shape {mask.shape}; give bool of the '
            f"image's {rgb.shape[:2]}."
        )
    height, width = mask.shape
    if (pinhole.width, pinhole.height) != (width, height):
        raise InvalidCalibrationError(
            f'The camera_info is of {pinhole.width} x {pinhole.height} pixels and the image has '
            f"{width} x {height}; publish this image's own."
        )
    if not mask.any():
        raise InvalidDepthError('The mask is empty, so there is nothing to find in the depth.')
    if depth.ndim != 2 or 0 in depth.shape:
        raise InvalidDepthError(f'A depth image is (h, w), at least 1 x 1, not {depth.shape}.')
    if abs(depth.shape[1] * height / (depth.shape[0] * width) - 1) > 0.01:
        raise InvalidDepthError(
            f'The depth image has {depth.shape[1]} x {depth.shape[0]} pixels, which is not the '
            f"shape of the image's {width} x {height}; register it to the image."
        )


def _clean(
    depth: NDArray[np.float32], covered: NDArray[np.bool_], camera: Pinhole
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return the rows, columns and depths of the measurements worth keeping.

    depth: (h, w), NaN where not measured. covered: (h, w), what the mask covers of it.
    """
    bleed = max(1, round(_BLEED * camera.width))
    window = _window(covered, bleed + 1)
    depth, covered = depth[window], covered[window]
    # The mask and, to see what it may bleed onto, one pixel round it.
    rows, columns = np.nonzero(ndimage.binary_dilation(covered, _SQUARE))
    within = covered[rows, columns]
    smooth = np.where(
        within,
        _local_median(np.where(covered, depth, np.nan), rows, columns),
        _local_median(np.where(covered, np.nan, depth), rows, columns),
    )
    known = np.isfinite(smooth)
    rows, columns, within, smooth = rows[known], columns[known], within[known], smooth[known]

    pairs = _neighbours(rows, columns, depth.shape)
    jumps = np.abs(smooth[pairs[0]] - smooth[pairs[1]])
    off = np.abs(depth[rows, columns] - smooth)
    inner_jumps = jumps[within[pairs].all(axis=0)]
    step = max(
        _SLOPE_STEP * float(np.median(smooth[within])) / camera.fx,
        _NOISE_STEP * _SIGMA_OF_MAD * float(np.nanmedian(off[within])),
        _USUAL_STEP * float(np.median(inner_jumps)) if len(inner_jumps) else 0.0,
    )
    links = pairs[:, jumps <= step]
    good = within & (off <= _OUTLIER * step)  # False where nothing was measured
    on_grid = np.zeros(depth.shape, dtype=bool)
    on_grid[rows, columns] = good
    inside = _inside(covered, on_grid, bleed)[rows, columns]
    kept = good & (_grow(inside, links, bleed) | ~_grow(~within, links, bleed))
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


def _local_median(
    depth: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the medians (N,) of the 5 x 5 pixels round each, NaN where none is known.

    Of the two in the middle of an even number it is the nearer, never a depth between an object and
    what is behind it.
    """
    windows = sliding_window_view(np.pad(depth, 2, constant_values=np.nan), (5, 5))
    ordered = np.sort(windows[rows, columns].reshape(-1, 25), axis=1)  # NaN comes last
    middle = np.maximum(np.isfinite(ordered).sum(axis=1) - 1, 0) // 2
    return np.take_along_axis(ordered, middle[:, None], axis=1)[:, 0]


def _local_plane(
    rows: NDArray[np.intp], columns: NDArray[np.intp], z: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return depths (N,) on the planes that fit best to the 5 x 5 pixels round each.

    Inverse depth is linear in the pixel on a plane, so this is linear regression. Other than a mean
    it does not draw an outline inwards, where only one side of a pixel is seen.
    """
    row, column = rows - rows.min(), columns - columns.min()
    shape = row.max() + 1, column.max() + 1

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        grid = np.zeros(shape)
        grid[row, column] = values
        return 25 * ndimage.uniform_filter(grid, 5, mode='constant')[row, column]

    count = total(np.ones(len(z)))
    # From their means, so that squares of large numbers do not cancel.
    u, v, inverse = (k - k.mean() for k in (column, row, 1 / z.astype(np.float64)))
    mean_u, mean_v, mean = (total(k) / count for k in (u, v, inverse))
    # The ridge keeps a pixel without neighbours, or with some in a line, where it is.
    uu = total(u * u) / count - mean_u**2 + _RIDGE
    vv = total(v * v) / count - mean_v**2 + _RIDGE
    uv = total(u * v) / count - mean_u * mean_v
    u_inverse = total(u * inverse) / count - mean_u * mean
    v_inverse = total(v * inverse) / count - mean_v * mean
    determinant = uu * vv - uv**2
    across = (vv * u_inverse - uv * v_inverse) / determinant
    down = (uu * v_inverse - uv * u_inverse) / determinant
    fitted = mean + across * (u - mean_u) + down * (v - mean_v)
    return 1 / (fitted + (1 / z.astype(np.float64)).mean())


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


def _back_project(
    rows: NDArray[np.intp], columns: NDArray[np.intp], z: NDArray[np.floating], camera: Pinhole
) -> NDArray[np.float64]:
    """Return the points (N, 3) at some pixels and depths."""
    z = z.astype(np.float64)
    return np.stack(
        [(columns - camera.cx) / camera.fx * z, (rows - camera.cy) / camera.fy * z, z], axis=1
    )


def _box(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return position, orientation and size, as Surface describes them, of points (N, 3)."""
    middle = points.mean(axis=0)
    centred = points - middle
    _, axes = np.linalg.eigh(centred.T @ centred)
    low, high = np.percentile(centred @ axes, _EXTENT, axis=0)
    # Sorted by extent: an axis along which points vary more is not always the longer one.
    order = np.argsort(low - high, kind='stable')
    axes, low, high = axes[:, order], low[order], high[order]
    position = middle + axes @ ((low + high) / 2)
    x, z = axes[:, 0], axes[:, 2]
    x = -x if x[np.abs(x[:2]).argmax()] < 0 else x
    z = -z if z @ position > 0 else z
    turn = Rotation.from_matrix(np.stack([x, np.cross(z, x), z], axis=1))
    return position, turn.as_quat(canonical=True), high - low
