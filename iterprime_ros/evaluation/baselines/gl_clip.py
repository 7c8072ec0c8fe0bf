"""GL-CLIP over the mask proposer of any profile: the mask whose CLIP features fit the text best.

Yu, Seo, Son, "Zero-shot Referring Image Segmentation with Global-Local Context Features", CVPR
2023, as their code computes it (github.com/Seonghoon-Yu/Zero-shot-RIS, commit 75ff6ed):

- global feature of a mask: CLIP on the whole image, its patch tokens multiplied by the mask before
  each of the last three blocks; local feature: CLIP on the crop of the mask, the rest filled;
- feature of a mask: v times the global and 1 - v times the local one; feature of an expression:
  half the sentence and half its noun phrase; the answer is the mask of the highest cosine.

Their masks come from FreeSOLO. Here they are the objects that the profile under evaluation finds,
so that figures compare the two ways of choosing a mask, and not with those that they publish.

`faithful` keeps what changes figures and was hardly meant. Without it:

- CLIP's own mean and standard deviation instead of ImageNet's;
- images and masks are resized with antialiasing, and images from their own size: theirs are first
  brought to a shorter side of 800 pixels, and a mask between the sample points of the patches
  is lost there;
- crops are of the mask's own box and filled with the mean colour; theirs are of FreeSOLO's box and
  filled with a lighter colour (`gl_clip_views.boxes` and `crops`);
- features have unit length before they are added; theirs weigh by their lengths.

In both, images and crops are stretched to squares, whatever their shape. In both, other than
theirs: an image without masks counts, as NOT_FOUND and an IoU of 0, where they leave it out of the
mean; a text of too many tokens is cut, where they stop; numbers are float32, on CUDA theirs are
float16; expressions of RefCOCO are the normalised sentences, theirs the raw ones. Their noun
phrases are those of en_core_web_lg: a profile with `language: en_core_web_lg` has them. The shipped
pipeline has Universal Dependencies, of which spaCy's rules take only roots, subjects and
appositions for noun phrases: a sentence whose root is no noun more often stays whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc
from torch import Tensor
from torch.nn import functional

from iterprime_ros.answer import Candidate, Segmentation, Status, invalid, resized
from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.evaluation.baselines import gl_clip_views as views
from iterprime_ros.evaluation.baselines.clip_features import (
    Clip,
    image_features,
    load_clip,
    masked_features,
    text_features,
)
from iterprime_ros.evaluation.frame_objects import objects_in
from iterprime_ros.language.command_parser import ParsedCommand, cut_note, permitted
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.weights import ON_CPU, Placement

WEIGHTS = 'openai/clip-vit-base-patch32'
GLOBAL_WEIGHT = 0.95  # v of RefCOCO and RefCOCO+
_OTHER_GLOBAL_WEIGHTS = {'refcocog': 0.85, 'phrasecut': 0.85}  # by the beginning of the name
_SENTENCE_WEIGHT = 0.5  # r
_CROPS_AT_ONCE = 32


@dataclass(frozen=True)
class MaskFeatures:
    """The masks of an image of H x W pixels and what CLIP sees in them.

    image_size: (H, W).
    masks: (K, h, w) bool, none empty; K may be 0.
    predicted_iou: (K,) float32, the proposer's own confidence.
    features: (K, D) float32 of unit length.
    """

    image_size: tuple[int, int]
    masks: Tensor
    predicted_iou: Tensor
    features: Tensor


class GlClip:
    """Answers a command with the mask whose features fit its expression best.

    model: whose proposer and parser are used.
    clip: the CLIP, on any device.
    v: weight of the global feature, in [0, 1].
    faithful: see this module.
    """

    def __init__(
        self, model: IteRPrimE, clip: Clip, v: float = GLOBAL_WEIGHT, faithful: bool = True
    ) -> None:
        self._model, self._clip = model, clip
        self.v, self.faithful = v, faithful

    def embed(self, image: NDArray[np.uint8], frame: Frame) -> MaskFeatures:
        """Return the masks of an image (H, W, 3) uint8 RGB and their features.

        frame: what model.embed returned for the image.
        """
        found = objects_in(self._model, frame)
        shown = found.masks.flatten(1).any(1)
        masks = found.masks[shown].to(self._clip.device)
        iou = found.predicted_iou[shown]
        return MaskFeatures(frame.image_size, masks, iou, self.mask_features(image, masks))

    def mask_features(self, image: NDArray[np.uint8], masks: Tensor) -> Tensor:
        """Return the features (K, D) float32 of unit length of masks of an image.

        image: (H, W, 3) uint8 RGB.
        masks: (K, h, w) bool on the device of the CLIP, none empty; K may be 0.
        """
        clip, faithful = self._clip, self.faithful
        if not len(masks):
            return text_features(clip, [])
        picture = views.normalised(image, faithful).to(clip.device)
        whole = views.resized(picture, (clip.side, clip.side), faithful)
        weights = views.patch_weights(masks, clip.grid, faithful)
        of_context = masked_features(clip, whole, weights)
        picture = views.resized(picture, (masks.shape[1], masks.shape[2]), faithful)
        of_crops = torch.cat(
            [
                image_features(clip, views.crops(picture, each, clip.side, faithful))
                for each in masks.split(_CROPS_AT_ONCE)
            ]
        )
        return self._sum(self.v, of_context, of_crops)

    def expression_features(self, expressions: Sequence[str]) -> Tensor:
        """Return the features (N, D) float32 of unit length of referring expressions."""
        parser = self._model.parser
        sentences = [spaced(parser.analyse(each.lower())) for each in expressions]
        phrases = [noun_phrase(parser.analyse(each)) for each in sentences]
        features = text_features(self._clip, [*sentences, *phrases])
        of_sentences, of_phrases = features[: len(sentences)], features[len(sentences) :]
        return self._sum(_SENTENCE_WEIGHT, of_sentences, of_phrases)

    def segment_many(self, frame: MaskFeatures, commands: Sequence[str]) -> list[Segmentation]:
        """Return one answer for each command, in order; INVALID for one that cannot be used."""
        parsed: dict[int, ParsedCommand] = {}
        answers: dict[int, Segmentation] = {}
        for number, command in enumerate(commands):
            try:
                parsed[number] = permitted(self._model.parser.parse(command))
            except InvalidCommandError as error:
                answers[number] = invalid(str(error), frame.image_size)
        if parsed:
            texts = self.expression_features([each.expression for each in parsed.values()])
            shares = (self._clip.scale * texts @ frame.features.T).softmax(1)
            for (number, understood), share in zip(parsed.items(), shares, strict=True):
                answers[number] = _answer(frame, understood, share, commands[number])
        return [answers[number] for number in range(len(commands))]

    def _sum(self, weight: float, first: Tensor, second: Tensor) -> Tensor:
        """Return the weighted sums of features (N, D), of unit length."""
        if not self.faithful:
            first, second = functional.normalize(first), functional.normalize(second)
        return functional.normalize(weight * first + (1 - weight) * second)


def gl_clip(
    model: IteRPrimE,
    weights: str = WEIGHTS,
    v: float = GLOBAL_WEIGHT,
    placement: Placement = ON_CPU,
    faithful: bool = True,
) -> GlClip:
    """Return the baseline over the masks of a model.

    weights: a local folder, or an id on the hub.
    v: weight of the global feature, in [0, 1]; global_weight gives that of a data set.
    faithful: see this module.

    Raises WeightsNotFoundError and WeightsMismatchError.
    """
    return GlClip(model, load_clip(weights, placement), v, faithful)


def load_gl_clip(model: IteRPrimE, dataset: str, placement: Placement) -> GlClip:
    """Return the baseline with CLIP of the hub and the weight of a data set; see gl_clip."""
    named = replace(placement, profile=WEIGHTS)  # what messages say to fetch
    return gl_clip(model, v=global_weight(dataset), placement=named)


def global_weight(dataset: str) -> float:
    """Return v of a data set, by its name in the registry.

    0.85 for RefCOCOg, 0.95 for RefCOCO and RefCOCO+ and for what they did not evaluate. PhraseCut
    has that of RefCOCOg, because their script for it does not change the default data set.
    """
    for beginning, weight in _OTHER_GLOBAL_WEIGHTS.items():
        if dataset.startswith(beginning):
            return weight
    return GLOBAL_WEIGHT


def spaced(sentence: Doc) -> str:
    """Return the tokens of a sentence with a space between every two."""
    return ' '.join(token.text for token in sentence if not token.is_space)


def noun_phrase(sentence: Doc) -> str:
    """Return the noun phrase of the root, else of its first child, else the whole sentence.

    Where the parser sees several sentences, the root is that of the last one
    (extract_noun_phrase of their utils.py).
    """
    if sentence.vocab.get_noun_chunks is None:  # of a language without rules for them
        return sentence.text
    chunks = {token.i: chunk for chunk in sentence.noun_chunks for token in chunk}
    root = [token for token in sentence if token.head.i == token.i][-1]
    for token in (root, *list(root.children)[:1]):
        if token.i in chunks:
            return str(chunks[token.i].text)
    return sentence.text


def _answer(
    frame: MaskFeatures, command: ParsedCommand, shares: Tensor, received: str
) -> Segmentation:
    """Return the mask of the largest of the shares (K,), which are in [0, 1]."""
    note = cut_note(command, received)
    notes = (note,) if note else ()
    empty = np.zeros(frame.masks.shape[1:], bool)
    heatmap = np.zeros(empty.shape, np.float32)
    if not len(shares):
        answer = Segmentation(
            Status.NOT_FOUND, 'No object was found.', command, empty, heatmap, 0.0, notes=notes
        )
    else:
        best = int(shares.argmax())
        mask, share = frame.masks[best].cpu().numpy(), float(shares[best])
        unknown = float('nan')
        answer = Segmentation(
            Status.FOUND,
            f'Found "{command.expression}" ({share:.2f} of the match among {len(shares)} masks).',
            command,
            mask,
            heatmap,
            share,
            'chance',
            (Candidate(mask, unknown, unknown, float(frame.predicted_iou[best]), share),),
            instance_count=1,
            notes=notes,
        )
    return answer if empty.shape == frame.image_size else resized(answer, frame.image_size)
