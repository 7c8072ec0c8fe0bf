"""The attention of texts to an image as captured CUDA graphs, one for each bucket.

A round of grounding is some hundred kernels of a few microseconds, and starting one costs the host
as much. A graph starts them all at once. Not run on CUDA yet; docs/gpu.md says what is proven.

Rules of capture: PyTorch, "CUDA semantics", section "CUDA Graphs", and torch/cuda/graphs.py.
"""

import threading
from typing import Any

import torch
from torch import Tensor

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.grounding.buckets import (
    BUCKETS,
    Bucket,
    BucketedMatcher,
    static_inputs,
)
from iterprime_ros.grounding.fusion import FusionMatcher, ImageMemory
from iterprime_ros.grounding.matcher import CrossAttention, Matcher

_WARM_UPS = 3
_CAPTURING = threading.Lock()  # a process captures one graph at a time


def check_device(device: torch.device | str) -> None:
    """Raise InvalidSettingError for a device that has no graphs."""
    if torch.device(device).type != 'cuda':
        raise InvalidSettingError(
            f'matcher.graphs needs a CUDA device, and this is "{device}": set it to false, or use '
            'another device.'
        )


def with_graphs(matcher: Matcher, block: int) -> BucketedMatcher:
    """Return a matcher that attends in one fusion block by graphs, which are captured now.

    block: one of the matcher's fusion blocks; attention in any other, and texts that no bucket
        holds, are computed without graphs.

    Its `attend` must be called on one CUDA stream, the current one of all threads unless they
    choose another. Raises InvalidSettingError for a matcher that is no FusionMatcher or not on
    CUDA, and where CUDA captures nothing.
    """
    if not isinstance(matcher, FusionMatcher):
        raise InvalidSettingError(
            'matcher.graphs: this kind of matcher cannot be captured: set it to false.'
        )
    device = matcher.head.weight.device
    check_device(device)
    try:
        with _CAPTURING, torch.inference_mode(False), torch.cuda.device(device):
            image = _StaticImage(matcher)
            stream, pool = torch.cuda.Stream(), torch.cuda.graph_pool_handle()
            steps = {
                bucket: _CapturedStep(matcher, block, bucket, image, stream, pool)
                for bucket in BUCKETS
            }
    except RuntimeError as error:  # CUDA's, of which running out of memory is one
        reason = ' '.join(str(error).split())[:200].rstrip(' .')
        raise InvalidSettingError(
            f'matcher.graphs: CUDA captured no graph ({reason}): set it to false.'
        ) from error
    return BucketedMatcher(matcher, block, steps)


class _StaticImage:
    """The keys and values that every graph reads, at addresses that stay."""

    def __init__(self, matcher: FusionMatcher) -> None:
        device = matcher.head.weight.device
        # As an image is encoded, so that sizes and strides are those without graphs.
        self.memory = matcher.encode_image(torch.zeros((3, 1, 1), dtype=torch.uint8, device=device))
        self._held: ImageMemory | None = None

    def hold(self, image: ImageMemory) -> None:
        """Copy an image's keys and values, unless they are those of the call before."""
        if image is self._held:
            return
        self._held = None
        for static, given in zip(self.memory, image, strict=True):
            for to, values in zip(static, given, strict=True):
                to.copy_(values)
        self._held = image


class _CapturedStep:
    """A graph of FusionMatcher.attend_states for a bucket; a buckets.Step.

    The forward pass and the gradient are one graph. Graphs share a pool of memory: a replay may
    overwrite what another one computed, hence outputs are cloned before the next replay.
    """

    def __init__(
        self,
        matcher: FusionMatcher,
        block: int,
        bucket: Bucket,
        image: _StaticImage,
        stream: torch.cuda.Stream,
        pool: Any,
    ) -> None:
        self._image = image
        self._inputs = static_inputs(matcher, bucket)

        def attend() -> CrossAttention:
            return matcher.attend_states(image.memory, *self._inputs, block)

        # What CUDA's libraries set up on first use must not be captured. The stream is that of the
        # capture, since their handles and autograd's leaves belong to a stream.
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                attend()
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        # Other threads of a node may use CUDA meanwhile.
        with torch.cuda.graph(self._graph, pool, stream, capture_error_mode='thread_local'):
            self._seen = attend()

    def __call__(
        self, image: ImageMemory, state: Tensor, real: Tensor, keep: Tensor
    ) -> CrossAttention:
        self._image.hold(image)
        for static, given in zip(self._inputs, (state, real, keep), strict=True):
            static.copy_(given)
        self._graph.replay()
        return self._seen
