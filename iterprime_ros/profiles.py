"""Profiles: named sets of weights and settings, and how a YAML file makes another."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from iterprime_ros.errors import InvalidSettingError, WeightsNotFoundError
from iterprime_ros.grounding.settings import AUTHORS, OURS, GroundingSettings

DEFAULT = 'tabletop'
TABLETOP = Path(__file__).parent / 'models' / 'tabletop'
_OTHER_FORMATS = ['*.h5', '*.msgpack', '*.ot', '*.onnx', '*.tflite']


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra='forbid')


class MatcherChoice(_Strict):
    """Which model grounds; weights: a local folder or file, or an id on the hub."""

    kind: Literal['blip', 'albef']
    weights: str = Field(min_length=1)
    tokenizer: str | None = Field(None, description='albef only: folder or id of BERT words.')


class MaskChoice(_Strict):
    """Which proposer makes masks; `regions` needs no weights."""

    kind: Literal['sam', 'segment_anything', 'regions']
    weights: str | None = Field(None, min_length=1)


class AnswerSettings(_Strict):
    """When there is an answer, and which."""

    match_threshold: float = Field(
        0.5, ge=0, le=1, description='Below this matching probability nothing is found.'
    )
    ambiguity_margin: float = Field(
        0.05,
        ge=0,
        le=1,
        description='Another peak of the heatmap this close to the highest, on another mask, makes '
        'an expression ambiguous; 0 never does.',
    )
    max_components: int = Field(
        12, ge=1, description='Masks of more 4-connected components are left out.'
    )
    mask_rank: Literal['mean', 'overlap'] = Field(
        'mean',
        description='Which mask wins: the highest mean of the heatmap inside, as the paper has it, '
        'or the best overlap with it, where masks lie inside each other.',
    )
    max_peaks: int = Field(8, ge=1, le=64, description='Peaks at which masks are asked for.')


class Profile(_Strict):
    """Everything that IteRPrimE.from_profile needs."""

    description: str = ''
    notice: str = Field('', description='What its user is told at start.')
    matcher: MatcherChoice
    masks: MaskChoice
    language: str | None = Field(
        None, description='spaCy pipeline, by package or folder; the shipped one by default.'
    )
    encoder_dtype: Literal['auto', 'float32', 'bfloat16', 'float16'] = Field(
        'auto', description='Of the image encoders: auto is bfloat16 on CUDA, else float32.'
    )
    grounding: GroundingSettings = OURS
    answer: AnswerSettings = AnswerSettings()


_BASE = MatcherChoice(kind='blip', weights='Salesforce/blip-itm-base-coco')
_LARGE = MatcherChoice(kind='blip', weights='Salesforce/blip-itm-large-coco')

PROFILES: dict[str, Profile] = {
    'blip-sam': Profile(
        description='real images, the base models',
        matcher=_BASE,
        masks=MaskChoice(kind='sam', weights='facebook/sam-vit-base'),
    ),
    'blip-large-sam': Profile(
        description='real images, the largest models',
        matcher=_LARGE,
        masks=MaskChoice(kind='sam', weights='facebook/sam-vit-large'),
    ),
    'fast': Profile(
        description='real images, base matcher and the smallest SAM 2.1',
        matcher=_BASE,
        masks=MaskChoice(kind='sam', weights='facebook/sam2.1-hiera-tiny'),
    ),
    'no-mask-model': Profile(
        description='real images, masks without a mask model',
        matcher=_BASE,
        masks=MaskChoice(kind='regions'),
    ),
    'paper': Profile(
        description="the authors' matcher and settings, with masks of SAM in place of Mask2Former",
        matcher=MatcherChoice(kind='albef', weights='ALBEF.pth', tokenizer='bert-base-uncased'),
        masks=MaskChoice(kind='sam', weights='facebook/sam-vit-base'),
        grounding=AUTHORS,
        answer=AnswerSettings(match_threshold=0, ambiguity_margin=0),
    ),
}


def profile(name_or_file: str | Path) -> Profile:
    """Return a profile by its name, or from a YAML file with the fields of `Profile`.

    `base` in a file names the profile whose fields hold where the file says nothing. Weights that
    begin with ./ lie beside the file.
    Raises InvalidSettingError for an unknown name, a file that cannot be read or a wrong value.
    """
    if str(name_or_file) in PROFILES:
        return PROFILES[str(name_or_file)]
    path = Path(name_or_file)
    if path.suffix not in ('.yaml', '.yml'):
        raise InvalidSettingError(
            f'There is no profile "{name_or_file}": name one of {", ".join(PROFILES)}, '
            'or a YAML file.'
        )
    return _read(path)


def _read(path: Path) -> Profile:
    try:
        fields = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise InvalidSettingError(f'Cannot read {path}: {error.strerror}.') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidSettingError(f'{path} is not YAML: {" ".join(str(error).split())}') from error
    if not isinstance(fields, dict):
        raise InvalidSettingError(f'{path} must map field names to values, as a profile does.')
    base = fields.pop('base', None)
    if base is not None and (not isinstance(base, str) or base not in PROFILES):
        raise InvalidSettingError(
            f'{path}: base must be one of {", ".join(PROFILES)}, not "{base}".'
        )
    start = PROFILES[base].model_dump() if base else {}
    return _validated(_merged(start, _beside(path, fields)), path)


def _beside(path: Path, fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields whose weights that begin with ./ are found from the file, not from here."""
    found = dict(fields)
    for name in ('matcher', 'masks'):
        choice = found.get(name)
        if not isinstance(choice, dict):
            continue
        weights = choice.get('weights')
        if isinstance(weights, str) and weights.startswith('./'):
            found[name] = {**choice, 'weights': str(path.parent.resolve() / weights)}
    return found


def _merged(start: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = dict(start)
    for name, value in over.items():
        inner = both.get(name)
        merge = isinstance(inner, dict) and isinstance(value, dict)
        both[name] = _merged(inner, value) if merge and inner else value
    return both


def _validated(fields: dict[str, Any], path: Path) -> Profile:
    try:
        return Profile.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = '.'.join(map(str, first['loc']))
        raise InvalidSettingError(f'{path}: {where}: {first["msg"]}.') from error


def fetch(name_or_file: str | Path) -> list[str]:
    """Download the weights of a profile into the hub's cache; return the ids that were fetched.

    Weights that are local folders or files are left alone.
    Raises WeightsNotFoundError where the hub cannot be reached or knows no such id.
    """
    from huggingface_hub import snapshot_download

    chosen = profile(name_or_file)
    sources = [chosen.matcher.weights, chosen.matcher.tokenizer, chosen.masks.weights]
    ids = [each for each in sources if each and not Path(each).exists() and '.pth' not in each]
    for each in ids:
        try:
            # The hub is asked even where the cache has something: that may be a part only.
            snapshot_download(each, ignore_patterns=_OTHER_FORMATS)
        except (OSError, ValueError) as error:
            raise WeightsNotFoundError(
                f'{each} cannot be fetched: the hub is out of reach, or has no such model.'
            ) from error
    return ids


PROFILES = {'tabletop': _read(TABLETOP / 'profile.yaml'), **PROFILES}
