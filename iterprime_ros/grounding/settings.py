"""Every number of the algorithm, with the range it may have and the value the paper gives it."""

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


OURS = GroundingSettings()
AUTHORS = GroundingSettings(
    no_primary_word='head_means', keep_failed_round=True, sharpen_single_round=True
)
