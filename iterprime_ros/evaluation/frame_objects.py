"""The objects of a frame as the pipeline finds them."""

from iterprime_ros.masks.object_masks import objects_of
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.pipeline import Frame, IteRPrimE


def objects_in(model: IteRPrimE, frame: Frame) -> Proposals:
    """Return the candidate masks, of frame.size, that the settings of a model find in a frame."""
    device = model.proposals_at(frame, []).masks.device
    return objects_of(model.proposer, frame.mask_embedding, model.profile.objects, device)
