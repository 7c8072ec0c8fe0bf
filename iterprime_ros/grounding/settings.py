"""Every number of the algorithm, with its range, and its default: the paper's where it has one."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class GroundingSettings(BaseModel):
    """How an expression becomes a heatmap; DESIGN: Wang et al., AAAI 2025, arXiv 2503.00936."""

    model_config = ConfigDict(frozen=True, extra='forbid')

    prompt: str = Field(
        'there is a {expression}', description='What the matcher reads; holds {expression} once.'
    )
    block: int = Field(
        8, ge=0, description='Fusion block whose cross-attention is looked at, counted from 0.'
    )
    local_emphasis: bool = Field(True, description='Contrast the primary word with the others.')
    global_emphasis: bool = Field(True, description='Count the primary word more often.')
    no_primary_word: Literal['find', 'focus_words', 'head_means'] = Field(
        'find',
        description='Without a primary word: take the word that pays the most attention, average '
        "the focus words, or multiply the means over heads as the authors' code does.",
    )
    rounds: int = Field(3, ge=1, le=10, description='Rounds at most.')
    sharpness: float = Field(
        20.0, gt=0, le=1000, description='k of the sharpening s(x) = sigmoid(k (x - midpoint)).'
    )
    midpoint: float = Field(0.5, ge=0, le=1, description='Where sharpening turns.')
    drop_threshold: float = Field(
        0.5, gt=0, le=1, description='Patches whose sharpened map reaches it are dropped.'
    )
    momentum: float = Field(
        0.8, ge=0, le=1, description='Weight of the running map against the new one.'
    )
    stop_early: bool = Field(True, description='Stop when the matching probability falls.')
    keep_failed_round: bool = Field(
        False, description='Keep the map of the round whose probability fell, as the authors do.'
    )
    sharpen_single_round: bool = Field(
        False, description='With one round only return the sharpened map, as the authors do.'
    )

    @field_validator('prompt')
    @classmethod
    def _holds_the_expression_once(cls, prompt: str) -> str:
        if prompt.count('{expression}') != 1:
            raise ValueError('must hold {expression} exactly once')
        return prompt


class RegionMatchSettings(BaseModel):
    """How matching logits of a text with a region become the chance that the text describes it.

    The chance is sigmoid(only * z(region alone) + contrast * (z(image) - z(image without region))
    + bias), z being log odds of a match. Its numbers are fitted to
    a matcher.
    """

    model_config = ConfigDict(frozen=True, extra='forbid')

    only: float = Field(
        0.5, ge=0, le=100, description='Weight of the matching logit with the region alone.'
    )
    contrast: float = Field(
        0.5,
        ge=0,
        le=100,
        description='Weight of what the matching logit of the whole image loses without the '
        'region; with 0 it is not computed, which saves more than half of the time.',
    )
    bias: float = Field(-1.5, ge=-100, le=100, description='Added to the weighted sum.')
    patch_share: float = Field(
        0.1,
        ge=0,
        lt=1,
        description='A patch is shown with a region that covers more than this share of it.',
    )


OURS = GroundingSettings()
AUTHORS = GroundingSettings(
    no_primary_word='head_means', keep_failed_round=True, sharpen_single_round=True
)
