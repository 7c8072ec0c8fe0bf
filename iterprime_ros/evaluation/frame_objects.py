"""The objects of a frame as the pipeline finds them."""

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.masks.object_masks import PhraseProposer, objects_of
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.pipeline import Frame, IteRPrimE


def objects_in(model: IteRPrimE, frame: Frame) -> Proposals:
    """Return the candidate masks, of frame.size, that the settings of a model find in a frame.

    Raises InvalidSettingError for a mask proposer that is asked by noun phrase alone.
    """
    if isinstance(model.proposer, PhraseProposer):
        raise InvalidSettingError(
            'Masks of this profile are found by noun phrase, and never all objects of an image: '
            'choose a profile with other masks for this baseline or an ablation.'
        )
    profile = model.profile
    known = frame.objects.get((profile.objects, profile.regions.patch_share))
    if known is not None:  # for a command that was answered part by part
        return known.proposals
    device = model.proposals_at(frame, []).masks.device
    return objects_of(model.proposer, frame.mask_embedding, profile.objects, device)
