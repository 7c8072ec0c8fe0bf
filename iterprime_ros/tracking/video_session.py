"""Sessions of transformers' SAM 2 video models that forget what the model will not read again.

A session keeps every frame and every output (modeling_sam2_video.py and modeling_edgetam_video.py
of transformers 5.23; facebookresearch/sam3#413). Of each object the model reads at frame t
(_gather_memory_frame_outputs, _get_object_pointers):

- the memory and the object pointer of the frame with the prompt;
- the memories of the frames t - 1 to t - (num_maskmem - 1), which are 6 as published;
- the object pointers of the frames t - 1 to t - (max_object_pointers_in_encoder - 1), which are 15
  as published.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers.models.edgetam_video.modeling_edgetam_video import (
    EdgeTamVideoInferenceSession,
    EdgeTamVideoModel,
)
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

_MEMORY = ('maskmem_features', 'maskmem_pos_enc')
_POINTER = 'object_pointer'
_PROMPTED, _TRACKED = 'cond_frame_outputs', 'non_cond_frame_outputs'


class VideoSession:
    """K objects through the frames of a video, each frame seen once and in order.

    model: a Sam2VideoModel or an EdgeTamVideoModel. Its image encoder may have another type than
        the rest, which is float32.
    values: (1, 3, S, S) float32, the first frame, normalised.
    masks: (K, S, S) bool, the objects in it; K >= 1.
    """

    def __init__(self, model: Any, values: Tensor, masks: Tensor) -> None:
        is_edgetam = isinstance(model, EdgeTamVideoModel)
        session = EdgeTamVideoInferenceSession if is_edgetam else Sam2VideoInferenceSession
        device = values.device
        self._model, self._frame = model, -1
        self._state = session(
            inference_device=device,
            inference_state_device=device,
            video_storage_device=device,
            dtype=torch.float32,
        )
        for number, mask in enumerate(masks):
            index = self._state.obj_id_to_idx(number)
            self._state.add_mask_inputs(index, 0, mask[None, None])
        self._state.obj_with_new_inputs = list(range(len(masks)))
        self.step(values)

    def step(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (K, h, w) of the objects in a frame, and those (K,) that they are seen.

        values: (1, 3, S, S) float32, the frame, normalised.
        """
        self._frame += 1
        self._state.cache.cache_vision_features(self._frame, _features(self._model, values))
        output = self._model(self._state, frame_idx=self._frame, frame=values)
        config = self._model.config
        _forget(self._state, self._frame, config.num_maskmem, config.max_object_pointers_in_encoder)
        return output.pred_masks.flatten(0, 1), output.object_score_logits.flatten()

    def tensors(self) -> Iterator[Tensor]:
        """Yield all that is kept from frame to frame."""
        for parts in self._state.output_dict_per_obj.values():
            for outputs in parts.values():
                for output in outputs.values():
                    yield from output.values()


def _forget(session: Any, newest: int, memories: int, pointers: int) -> None:
    """Keep what the model reads at the frame after the newest.

    memories: num_maskmem of the model.
    pointers: max_object_pointers_in_encoder of the model.
    """
    session.processed_frames = None
    session.cache.clear_all()
    for number, outputs in session.output_dict_per_obj.items():
        session.mask_inputs_per_obj[number].clear()
        session.frames_tracked_per_obj[number].clear()
        outputs[_PROMPTED] = {
            frame: _only(output, (_POINTER, *_MEMORY))
            for frame, output in outputs[_PROMPTED].items()
        }
        outputs[_TRACKED] = {
            frame: _only(
                output, (_POINTER, *_MEMORY) if newest + 1 - frame < memories else (_POINTER,)
            )
            for frame, output in outputs[_TRACKED].items()
            if newest + 1 - frame < max(memories, pointers)
        }


def _only(output: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: output[name] for name in names if output.get(name) is not None}


def to_prompts(masks: Tensor, side: int) -> Tensor:
    """Return masks (K, H, W) bool as (K, side, side) bool, resized as by Sam2VideoProcessor."""
    if masks.shape[1:] == (side, side):
        return masks
    resized = functional.interpolate(
        masks[:, None].float(), (side, side), mode='bilinear', align_corners=False, antialias=True
    )
    return resized[:, 0] >= 0.5


def _features(model: Any, values: Tensor) -> dict[str, list[Tensor]]:
    """Return what the model computes of a frame before it looks at objects, in float32."""
    dtype = next(model.vision_encoder.parameters()).dtype
    output = model.get_image_features(values.to(dtype), return_dict=True)
    # Only the positions of the last level are read. They are computed here, because those of an
    # encoder in half precision are rounded.
    shape = torch.Size((1, model.hidden_dim, *model.backbone_feature_sizes[-1]))
    positions = model.vision_encoder.neck.position_encoding(shape, values.device, torch.float32)
    return {
        'vision_feats': [level.float() for level in output.fpn_hidden_states],
        'vision_pos_embeds': [positions.flatten(2).permute(2, 0, 1)],
    }
