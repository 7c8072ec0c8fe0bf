"""Masks without weights: regions of even colour at several scales.

The masks are only as good as the colours: a region stops at an edge inside an object (a label on a
bottle, a sharp shadow) and leaks into a neighbour of the same colour. Edges are as precise as a
pixel of the reduced image, thin and small things are lost in it, and no IoU is predicted. It is for
trials where no SAM is at hand, and for images as plain as those of the simulated table: there, at
the middle of an object, some region has an IoU above 0.6 with it in 92 of 100 cases and above 0.8
in 68 (151 objects of scenes 100 to 129).
"""

from dataclasses import dataclass

import torch
from skimage.color import rgb2lab
from skimage.segmentation import felzenszwalb
from torch import Tensor
from torch.nn import functional

from iterprime_ros.masks.object_masks import ObjectSettings, distinct
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.transforms import Size, check_image, fit_longest_side
from iterprime_ros.weights import ON_CPU, Placement

# Chosen on scenes 0 to 11 of the simulated table, for the share of objects that some region fits.
LONGEST_SIDE = 160  # pixels of the reduced image
SCALES = (100, 300, 1000)  # Felzenszwalb and Huttenlocher's k: larger for larger regions
SIGMA = 0.5  # pixels of the reduced image, blur before the segmentation
SMALLEST = 20  # pixels of the reduced image, the least area of a region
LIGHTNESS = 0.25  # light changes more over one surface than hue does, so it counts for less
_BACKGROUND_SIDES = 2  # of the image, that a region of the background touches


@dataclass(frozen=True)
class Regions:
    """The segmented image.

    labels: (S, h, w) int64, the region of each pixel of the reduced image, at S scales.
    image: size of the image (H, W), in pixels.
    """

    labels: Tensor
    image: Size


class RegionProposer:
    """Proposes the regions that hold a point, by graph-based segmentation in CIELAB.

    Felzenszwalb and Huttenlocher, Efficient graph-based image segmentation, IJCV 59(2), 2004. The
    segmentation runs on the host, on an image reduced to 160 pixels on its longest side, so that
    its time does not grow with the image.
    """

    def embed(self, image: Tensor) -> Regions:
        """Segment an image (3, H, W) uint8 RGB; raise InvalidImageError for anything else."""
        check_image(image)
        full = (image.shape[1], image.shape[2])
        size = fit_longest_side(full, min(LONGEST_SIDE, max(full))).resized
        small = functional.interpolate(
            image[None].float() / 255, size, mode='bilinear', align_corners=False, antialias=True
        )
        colours = rgb2lab(small[0].permute(1, 2, 0).cpu().numpy()) / 100
        colours[..., 0] *= LIGHTNESS
        labels = [
            torch.from_numpy(felzenszwalb(colours, scale=scale, sigma=SIGMA, min_size=SMALLEST))
            for scale in SCALES
        ]
        return Regions(torch.stack(labels).to(image.device), full)

    def propose(self, embedding: Regions, points: Tensor) -> Proposals:
        """Return, scale by scale, each region that contains one of the points (P, 2), once."""
        labels = embedding.labels
        rows, columns = _reduced_pixels(embedding)
        asked = labels[:, rows[points[:, 1]], columns[points[:, 0]]]
        masks = _regions(labels, asked)[:, rows][:, :, columns]
        return Proposals(masks, torch.ones(len(masks), device=labels.device))

    def objects(self, embedding: Regions, settings: ObjectSettings) -> Proposals:
        """Return the regions that stand apart from the sides of the image, coarse scales first.

        A region that touches two sides of the image belongs to the background.
        """
        labels = embedding.labels
        regions = _regions(labels.flip(0), labels.flip(0).flatten(1))
        sides = (regions[:, 0], regions[:, -1], regions[:, :, 0], regions[:, :, -1])
        touched = sum(side.any(1).long() for side in sides)
        regions = regions[touched < _BACKGROUND_SIDES]
        certain = torch.ones(len(regions), device=labels.device)
        chosen = distinct(regions, certain, settings)
        rows, columns = _reduced_pixels(embedding)
        return Proposals(regions[chosen][:, rows][:, :, columns], certain[chosen])


def _reduced_pixels(embedding: Regions) -> tuple[Tensor, Tensor]:
    """Return the row of the reduced image for each row of the image, and the same of columns."""
    rows, columns = (
        torch.arange(full, device=embedding.labels.device) * few // full
        for full, few in zip(embedding.image, embedding.labels.shape[1:], strict=True)
    )
    return rows, columns


def _regions(labels: Tensor, asked: Tensor) -> Tensor:
    """Return (R, h, w) bool, scale by scale each region of labels (S, h, w) in asked (S, P)."""
    regions = [
        level == label for level, held in zip(labels, asked, strict=True) for label in held.unique()
    ]
    return torch.stack(regions) if regions else labels.new_zeros((0, *labels.shape[1:])) > 0


def load_regions(_weights: str | None = None, _placement: Placement = ON_CPU) -> RegionProposer:
    """Return the proposer, which has no weights and works on the device of its images."""
    return RegionProposer()
