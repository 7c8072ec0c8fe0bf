"""Profiles of the small random models, in files."""

import yaml

from helpers.tiny_blip import WORDS, tiny_blip, tiny_tokenizer
from helpers.tiny_sams import tiny_sam


def save_tiny_weights(folder):
    """Save a matcher, its tokenizer and a mask model under a folder, and return it."""
    tiny_blip().save_pretrained(folder / 'blip')
    tiny_tokenizer(WORDS).save_pretrained(folder / 'blip')
    tiny_sam().save_pretrained(folder / 'sam')
    return folder


def write_profile(path, weights, **changes):
    """Write a profile of the matcher in a folder and of regions, with changed fields."""
    fields = {
        'matcher': {'kind': 'blip', 'weights': str(weights / 'blip')},
        'masks': {'kind': 'regions'},
        'grounding': {'block': 1},
        'answer': {'match_threshold': 0.0, 'ambiguity_margin': 0.0},
    }
    for name, value in changes.items():
        inner = fields.get(name)
        fields[name] = {**inner, **value} if isinstance(inner, dict) else value
    path.write_text(yaml.safe_dump(fields))
    return path
