"""What the heatmap of a LAVIS BlipITM costs: ours beside LAVIS's own compute_gradcam.

LAVIS: compute_gradcam, a whole forward and a whole backward pass for each text.
ours:  the first expression on a frame, and the next ones on the same frame.
limit: one forward of LAVIS's image encoder without gradients.

The model is BLIP base at 384 px with random weights; one round, block 8. On a CPU the unit is CPU
seconds of one thread, on CUDA wall milliseconds. Printed are the median and, in brackets, the least
and the most of the repeats, in which all that is compared takes turns.

.venv-lavis/bin/python benchmarks/lavis_heatmap.py [--device cuda] [--repeats 5] [--json FILE]
"""

import argparse
import contextlib
import copy
import json
import sys
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from grounding import costs
from torch import Tensor

from iterprime_ros.grounding.gradcam import token_maps
from iterprime_ros.grounding.lavis import lavis_matcher
from iterprime_ros.torchvision_import import mend_torchvision

TEXT = 'there is a red mug left of the bottle'
BLOCK = 8


def blip_itm() -> Any:
    """Return a BlipITM of base size with random weights, and a vocabulary of numbered pieces."""
    mend_torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FutureWarning)  # of PyTorch, about fairscale
        from lavis.models.blip_models.blip_image_text_matching import BlipITM
        from lavis.models.med import XBertEncoder
        from lavis.models.vit import VisionTransformerEncoder

    settings = {'vit_type': 'base', 'med_config_path': 'configs/models/med_config.json'}
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        # As bert-base-uncased in length; the words of TEXT are one piece each, as they are there.
        pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', *dict.fromkeys(TEXT.split())]
        pieces += [f'[unused{number}]' for number in range(30522 - len(pieces))]
        vocabulary = Path('bert-base-uncased', 'vocab.txt')
        vocabulary.parent.mkdir()
        vocabulary.write_text('\n'.join(pieces) + '\n', encoding='utf-8')
        return BlipITM(
            VisionTransformerEncoder.from_config(settings), XBertEncoder.from_config(settings)
        ).eval()


def main() -> int:
    """Print the costs, their ratios and how far the heatmaps differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--json', type=Path, metavar='FILE')
    arguments = parser.parse_args()
    device = arguments.device
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    model = blip_itm().to(device)
    matcher = lavis_matcher(copy.deepcopy(model), device)

    from lavis.models.blip_models.blip_image_text_matching import compute_gradcam

    image = torch.randint(0, 256, (3, 480, 640), dtype=torch.uint8, device=device)
    pixels = matcher.pixels(image)
    words = model.tokenizer([TEXT], return_tensors='pt').to(device)
    keep = torch.ones((1, 24 * 24), dtype=torch.bool, device=device)

    def theirs() -> Tensor:
        listed, _ = compute_gradcam(model, matcher.pixels(image), [TEXT], words, BLOCK)
        return listed[0][0].flatten()

    def ours(memory: Any) -> Tensor:
        seen = matcher.attend(memory, matcher.encode_text([TEXT]), keep, BLOCK)
        maps, _ = token_maps(seen.attention[0], seen.gradient[0])
        return maps.mean(dim=0)[0].cpu()

    def encoder() -> None:
        with torch.no_grad():
            model.visual_encoder.forward_features(pixels)

    memory, expected = matcher.encode_image(image), theirs()
    error = ((ours(memory) - expected).abs().max() / expected.abs().max()).item()
    found = costs(
        {
            'LAVIS': theirs,
            'ours, first': lambda: ours(matcher.encode_image(image)),
            'ours, next': lambda: ours(memory),
            'limit': encoder,
        },
        device,
        arguments.repeats,
    )
    unit = 'CPU s of one thread' if device == 'cpu' else 'wall ms'
    print(f'BLIP base of LAVIS, {device}, {unit}, {arguments.repeats} repeats')
    for name, cost in found.items():
        factor = found['LAVIS'].median / cost.median
        print(f'  {name:12} {cost!s:26} {factor:6.1f} times as fast as LAVIS')
    print(f'  ours, first  {found["ours, first"].median / found["limit"].median:.2f} of the limit')
    print(f'  heatmaps differ by {error:.1e} of their maximum')
    if arguments.json:
        report = {name: asdict(cost) for name, cost in found.items()}
        arguments.json.write_text(json.dumps({'unit': unit, 'error': error, **report}, indent=2))
    return 0


if __name__ == '__main__':
    sys.exit(main())
