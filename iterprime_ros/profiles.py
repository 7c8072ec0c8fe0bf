"""Profiles: named sets of weights and settings, and how a YAML file makes another."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from iterprime_ros.backends import MATCHERS, PROPAGATORS, PROPOSERS
from iterprime_ros.errors import InvalidSettingError, WeightsNotFoundError
from iterprime_ros.grounding.settings import (
    AUTHORS,
    OURS,
    GroundingSettings,
    RegionMatchSettings,
)
from iterprime_ros.masks.object_masks import ObjectSettings

DEFAULT = 'tabletop'
TABLETOP = Path(__file__).parent / 'models' / 'tabletop'
_LONGEST_NAME, _LONGEST_PATH = 255, 4095  # bytes that Linux takes
_SHOWN = 80  # characters of a name in an error


def _possible_path(text: str) -> str:
    encoded = text.encode(errors='replace')
    if not text.strip() or b'\0' in encoded or len(encoded) > _LONGEST_PATH:
        raise ValueError(f'must be a path or a name, of 1 to {_LONGEST_PATH} bytes')
    if max(map(len, encoded.split(b'/'))) > _LONGEST_NAME:
        raise ValueError(f'must have no part of more than {_LONGEST_NAME} bytes between its /')
    return text


_Source = Annotated[str, AfterValidator(_possible_path)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra='forbid')


class MatcherChoice(_Strict):
    """Which matcher grounds expressions."""

    kind: str = Field(description='A key of backends.MATCHERS.')
    weights: _Source = Field(
        description='A local folder or file, or an id on the hub, also of one revision: '
        'owner/name@commit.'
    )
    tokenizer: _Source | None = Field(
        None, description='Folder or id of the tokenizer, where it is not beside the weights.'
    )
    graphs: bool = Field(
        False,
        description='Ground by CUDA graphs, captured when the matcher is loaded (docs/gpu.md); '
        'needs a CUDA device.',
    )

    @field_validator('kind')
    @classmethod
    def _is_registered(cls, kind: str) -> str:
        return _registered(MATCHERS, kind)


class MaskChoice(_Strict):
    """Which mask proposer is used."""

    kind: str = Field(description='A key of backends.PROPOSERS.')
    weights: _Source | None = Field(None, description='As of the matcher; none for regions.')

    @field_validator('kind')
    @classmethod
    def _is_registered(cls, kind: str) -> str:
        return _registered(PROPOSERS, kind)


class AnswerSettings(_Strict):
    """How the object is found, when it counts as found, and which mask it gets."""

    by: Literal['heatmap', 'parts'] = Field(
        'heatmap',
        description='heatmap: one heatmap of the whole expression, as in the paper. parts: all '
        'objects of the frame, the match of each noun phrase by region, and geometry for places '
        'and relations.',
    )
    match_threshold: float = Field(
        0.5,
        ge=0,
        le=1,
        description='Below this matching probability, or chance of the best object by parts, the '
        'answer is NOT_FOUND.',
    )
    ambiguity_margin: float = Field(
        0.05,
        ge=0,
        le=1,
        description='Another object makes the answer AMBIGUOUS if its peak of the heatmap, or its '
        'chance by parts, is at least 1 minus this share of the highest; 0 never does.',
    )
    max_components: int = Field(
        12, ge=1, description='Masks of more 4-connected components are dropped.'
    )
    mask_rank: Literal['mean', 'overlap'] = Field(
        'mean',
        description='What ranks masks: the mean of the heatmap inside, as in the paper, or the '
        'overlap with the heatmap, for proposers whose masks lie inside each other.',
    )
    max_peaks: int = Field(8, ge=1, le=64, description='Most peaks at which masks are proposed.')


class TrackingSettings(_Strict):
    """How an object is followed through the frames of a video."""

    kind: str = Field('flow', description='A key of backends.PROPAGATORS.')
    weights: _Source | None = Field(None, description='As of the matcher; none for flow.')
    verify_every: int = Field(
        30, ge=1, description='Frames after which the words are matched with the object again.'
    )
    search_every: int = Field(
        5, ge=1, description='Frames between two searches for an object that is not seen.'
    )
    lost_after: int = Field(
        8, ge=1, description='Frames in a row without the object, after which it is LOST.'
    )

    @field_validator('kind')
    @classmethod
    def _is_registered(cls, kind: str) -> str:
        return _registered(PROPAGATORS, kind)


class Profile(_Strict):
    """Everything that IteRPrimE.from_profile needs."""

    description: str = ''
    notice: str = Field('', description='A warning that is printed at start.')
    matcher: MatcherChoice
    masks: MaskChoice
    language: _Source | None = Field(
        None, description='spaCy pipeline, by package or folder; the shipped one by default.'
    )
    encoder_dtype: Literal['auto', 'float32', 'bfloat16', 'float16'] = Field(
        'auto', description='Dtype of the image encoders: auto is bfloat16 on CUDA, else float32.'
    )
    grounding: GroundingSettings = OURS
    regions: RegionMatchSettings = RegionMatchSettings()
    objects: ObjectSettings = ObjectSettings()
    primary_word: _Source | None = Field(
        None,
        description='JSON file of a head that names the primary word from the attention to words, '
        'beside the parser; none by default.',
    )
    answer: AnswerSettings = AnswerSettings()
    tracking: TrackingSettings = TrackingSettings()


def _registered(registry: Mapping[str, str], kind: str) -> str:
    if kind not in registry:
        raise ValueError(f'must be one of {", ".join(registry)}, not "{kind[:_SHOWN]}"')
    return kind


# The commit of the hub that is pinned is named by ByungKwanLee/CoLLaVO (collavo/load_collavo.py),
# which loads it. IteRPrimE's authors load the same weights in detectron2's format.
_MASK2FORMER = (
    'facebook/mask2former-swin-large-coco-panoptic@85b535928a783691eaf27467a573b26d543336ea'
)

# A person or a table may fill most of a photo.
_OBJECTS = ObjectSettings(max_area=0.9)
_BASE = MatcherChoice(kind='blip', weights='Salesforce/blip-itm-base-coco')
_LARGE = MatcherChoice(kind='blip', weights='Salesforce/blip-itm-large-coco')

_FOR_REAL_IMAGES: dict[str, Profile] = {
    'blip-sam': Profile(
        description='real images, the base models',
        matcher=_BASE,
        masks=MaskChoice(kind='sam', weights='facebook/sam-vit-base'),
        objects=_OBJECTS,
    ),
    'blip-large-sam': Profile(
        description='real images, the largest models',
        matcher=_LARGE,
        masks=MaskChoice(kind='sam', weights='facebook/sam-vit-large'),
        objects=_OBJECTS,
    ),
    'fast': Profile(
        description='real images, base matcher and the smallest SAM 2.1',
        matcher=_BASE,
        masks=MaskChoice(kind='sam', weights='facebook/sam2.1-hiera-tiny'),
        objects=_OBJECTS,
    ),
    'blip-sam3': Profile(
        description='real images, base matcher and SAM 3: part by part, among the instances of the '
        'noun phrases of a command',
        # facebookresearch/sam3, README.md and LICENSE.
        notice='The weights of SAM 3 are under the SAM License, and the hub gives them only to '
        'those whom Meta has granted access: ask for it at huggingface.co/facebook/sam3, then log '
        'in with `hf auth login`.',
        matcher=_BASE,
        masks=MaskChoice(kind='sam3', weights='facebook/sam3'),
        objects=_OBJECTS,
        answer=AnswerSettings(by='parts'),
    ),
    'no-mask-model': Profile(
        description='real images, masks without a mask model',
        matcher=_BASE,
        masks=MaskChoice(kind='regions'),
        objects=_OBJECTS,
    ),
    'paper': Profile(
        description="ALBEF, Mask2Former and the settings of the authors' code",
        # facebookresearch/Mask2Former, MODEL_ZOO.md, of all its weights.
        notice='The weights of Mask2Former are licensed for non-commercial use only (CC BY-NC '
        '4.0), and were trained on COCO, whose images RefCOCO, RefCOCO+ and RefCOCOg use.',
        matcher=MatcherChoice(kind='albef', weights='ALBEF.pth', tokenizer='bert-base-uncased'),
        masks=MaskChoice(kind='mask2former', weights=_MASK2FORMER),
        objects=_OBJECTS,
        grounding=AUTHORS,
        answer=AnswerSettings(match_threshold=0, ambiguity_margin=0),
    ),
    'lavis': Profile(
        description='real images, checkpoints of LAVIS and segment-anything, in an environment of '
        'their own (`make lavis`)',
        matcher=MatcherChoice(
            kind='lavis', weights='model_base_retrieval_coco.pth', tokenizer='bert-base-uncased'
        ),
        masks=MaskChoice(kind='segment_anything', weights='sam_vit_b_01ec64.pth'),
        objects=_OBJECTS,
    ),
}


_SHIPPED = {'tabletop': TABLETOP / 'profile.yaml', 'tabletop-igrs': TABLETOP / 'igrs.yaml'}
PROFILE_NAMES = (*_SHIPPED, *_FOR_REAL_IMAGES)


def load_profile(name_or_file: str | Path) -> Profile:
    """Return a profile by its name, or from a YAML file with the fields of `Profile`.

    `base` in a file names the profile whose fields hold where the file gives none. Weights and
    heads that begin with ./ lie beside the file.

    Raises InvalidSettingError for an unknown name, a file that cannot be read or a wrong value.
    """
    name = str(name_or_file)
    if name in _FOR_REAL_IMAGES:
        return _FOR_REAL_IMAGES[name]
    path = _SHIPPED.get(name) or Path(name_or_file)
    if path.suffix not in ('.yaml', '.yml'):
        raise InvalidSettingError(
            f'There is no profile "{_shown(name)}": name one of {", ".join(PROFILE_NAMES)}, or a '
            'YAML file.'
        )
    return _read(path)


def _read(path: Path) -> Profile:
    shown = _shown(path)
    try:
        if path.exists() and not path.is_file():  # a pipe without a writer would block for ever
            raise InvalidSettingError(f'{shown} is no regular file: name a YAML file.')
        fields = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise InvalidSettingError(f'Cannot read {shown}: {error.strerror}.') from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = ' '.join(str(error).split())
        raise InvalidSettingError(f'{shown} is not YAML: {reason}') from error
    if not isinstance(fields, dict):
        raise InvalidSettingError(f'{shown} must map field names to values, as a profile does.')
    base = fields.pop('base', None)
    if base is not None and base not in PROFILE_NAMES:
        # Aliases can make a short text a list of billions of items: it is not printed.
        given = f'"{_shown(base)}"' if isinstance(base, str) else f'a {type(base).__name__}'
        raise InvalidSettingError(
            f'{shown}: base must be one of {", ".join(PROFILE_NAMES)}, not {given}.'
        )
    start = load_profile(base).model_dump() if base else {}
    chosen = fields.get('matcher')
    only_faster = isinstance(chosen, dict) and chosen.keys() <= {'graphs'}
    if 'matcher' in fields and not only_faster:
        start.pop('primary_word', None)  # it reads the attention of the matcher it was fitted on
    return _validated(_merged(start, _beside(path, fields)), path)


def _shown(value: object) -> str:
    """Return a value as a message shows it: on one line, cut to a bounded length."""
    text = ' '.join(str(value).split())
    return text if len(text) <= _SHOWN else f'{text[:_SHOWN]} ...'


def _beside(path: Path, fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields in which files that begin with ./ are paths relative to the profile."""
    found = dict(fields)
    for name in ('matcher', 'masks'):
        choice = found.get(name)
        if not isinstance(choice, dict):
            continue
        weights = choice.get('weights')
        if isinstance(weights, str) and weights.startswith('./'):
            found[name] = {**choice, 'weights': str(path.parent.resolve() / weights)}
    head = found.get('primary_word')
    if isinstance(head, str) and head.startswith('./'):
        found['primary_word'] = str(path.parent.resolve() / head)
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
        where = _shown('.'.join(map(str, first['loc'])))
        raise InvalidSettingError(f'{_shown(path)}: {where}: {first["msg"]}.') from error
    except RecursionError as error:
        raise InvalidSettingError(f'{_shown(path)}: its values contain themselves.') from error


def fetch(name_or_file: str | Path) -> Iterator[tuple[str, str]]:
    """Bring the weights of a profile into the hub's cache, whole; yield each source and its state.

    name_or_file: of the profile; or an id on the hub, of the one model to bring.

    The states are 'fetched', 'already here', 'not checked: the hub is out of reach (REASON)' for a
    model that is in the cache, and 'not on the hub: ...' for a file that is not on this machine.
    Weights that are local folders or files are left alone.

    Raises InvalidSettingError for a wrong profile, WeightsNotFoundError for weights that are
    neither in the cache nor to be had from the hub, and UnwritableError.
    """
    from iterprime_ros import hub

    is_model = _is_model(name_or_file)
    sources = {str(name_or_file): True} if is_model else _sources(load_profile(name_or_file))
    for source, with_weights in sources.items():
        if source is None or Path(source).exists():
            continue
        if not hub.is_hub_id(source):
            yield source, 'not on the hub: it must lie where the profile says'
            continue
        try:
            was_lacking = hub.fetch(source, with_weights)
        except hub.HubUnreachableError as error:
            if not hub.is_cached(source, with_weights):
                raise WeightsNotFoundError(
                    f'{source} is not in the cache, and the hub is out of reach ({error}): try '
                    'again where there is a network.'
                ) from error
            yield source, f'not checked: the hub is out of reach ({error})'
        else:
            yield source, 'fetched' if was_lacking else 'already here'


def notice_of(name_or_file: str | Path) -> str:
    """Return the notice of a profile; '' without one, and for the id of a model on the hub.

    Raises InvalidSettingError for a wrong profile.
    """
    return '' if _is_model(name_or_file) else load_profile(name_or_file).notice


def _is_model(name_or_file: str | Path) -> bool:
    from iterprime_ros import hub

    name = str(name_or_file)
    return '/' in name and not name.endswith(('.yaml', '.yml')) and hub.is_hub_id(name)


def _sources(profile: Profile) -> dict[str | None, bool]:
    """Return where the models of a profile come from, and whether with tensors."""
    sources = {profile.matcher.weights: True, profile.masks.weights: True}
    if profile.tracking.weights:
        sources[profile.tracking.weights] = True
    sources.setdefault(profile.matcher.tokenizer, False)
    return sources
