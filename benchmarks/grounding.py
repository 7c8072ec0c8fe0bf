"""What a heatmap costs: ours beside the plain way and beside the limit, in one process.

plain: whole forward and whole backward, with gradients for every parameter, in each round.
limit: one forward of the image encoder without gradients.
ours:  the first expression on a frame, and the next ones on the same frame.

The model is BLIP-base at 384 px with random weights: what is measured does not depend on them. On a
CPU the unit is CPU seconds of one thread; on CUDA wall milliseconds.

python benchmarks/grounding.py [--device cuda] [--json FILE]
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import BlipConfig, BlipForImageTextRetrieval, PreTrainedTokenizerFast

from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.blip import blip_matcher
from iterprime_ros.grounding.fusion import FusionMatcher
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.settings import GroundingSettings

ROUNDS = 3
TEXT = 'the red mug left of the bottle'
FOCUS = ((4, 7), (8, 11), (12, 16), (24, 30))
SETTINGS = GroundingSettings(rounds=ROUNDS, stop_early=False)


def base_model() -> Any:
    """Return BLIP-base at 384 px, random."""
    torch.manual_seed(0)
    text = {'encoder_hidden_size': 768, 'vocab_size': 30524, 'num_attention_heads': 12}
    config = BlipConfig(text_config=text, vision_config={'image_size': 384})
    return BlipForImageTextRetrieval(config).eval()


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer that knows the words of TEXT, one piece each."""
    special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
    words = sorted({*TEXT.split(), 'there', 'is', 'a'})
    vocabulary = {word: number for number, word in enumerate([*special, *words])}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token=special[1]))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ('pad_token', 'unk_token', 'cls_token', 'sep_token', 'mask_token')
    return PreTrainedTokenizerFast(tokenizer_object=made, **dict(zip(names, special, strict=True)))


def cost(work: Callable[[], object], device: str, repeats: int) -> float:
    """Return the median cost of work(): CPU seconds, or milliseconds on CUDA; one run warms up."""

    def once() -> float:
        if device == 'cpu':
            started = time.process_time()
            work()
            return time.process_time() - started
        torch.cuda.synchronize()
        started = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return 1e3 * (time.perf_counter() - started)

    once()
    return statistics.median(once() for _ in range(repeats))


def plain_rounds(model: Any, words: PreTrainedTokenizerFast, pixels: Tensor, text: str) -> None:
    """Do ROUNDS rounds as one would first write them."""
    device = pixels.device
    numbers = words(text, add_special_tokens=False)['input_ids']
    numbers = [words.cls_token_id, *numbers, words.sep_token_id]
    ids = torch.tensor([numbers], device=device)
    kept: dict[str, Any] = {}

    def keep(_: object, __: object, output: tuple[Tensor, Tensor]) -> None:
        output[1].retain_grad()
        kept['attention'] = output[1]

    layer = model.text_encoder.encoder.layer[SETTINGS.block].crossattention.self
    handle = layer.register_forward_hook(keep)
    for _ in range(ROUNDS):
        patches = model.vision_model(pixel_values=pixels).last_hidden_state
        hidden = model.text_encoder(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            encoder_hidden_states=patches,
        ).last_hidden_state
        model.zero_grad()
        model.itm_head(hidden[:, 0])[0, 1].backward()
        (kept['attention'] * kept['attention'].grad.clamp(min=0)).mean(dim=(0, 1, 2)).cpu()
    handle.remove()
    model.zero_grad()


class Bench:
    """The figures of one device."""

    def __init__(self, device: str, repeats: int) -> None:
        self.device, self.repeats = device, repeats
        self.unit = 's' if device == 'cpu' else 'ms'
        self.words = tokenizer()
        torch.manual_seed(1)
        self.image = torch.randint(0, 256, (3, 480, 640), dtype=torch.uint8).to(device)
        self.expression = Expression(TEXT, FOCUS[1], FOCUS)
        self.prompt = SETTINGS.prompt.format(expression=TEXT)

    def of(self, work: Callable[[], object], repeats: int | None = None) -> float:
        """Return the cost of work()."""
        return cost(work, self.device, repeats or self.repeats)

    def first(
        self, matcher: FusionMatcher, expressions: list[Expression], rounds: int = ROUNDS
    ) -> float:
        """Return the cost of a new frame and its expressions."""
        chosen = SETTINGS.model_copy(update={'rounds': rounds})
        return self.of(partial(new_frame, matcher, self.image, expressions, chosen))

    def following(
        self, matcher: FusionMatcher, expressions: list[Expression], rounds: int = ROUNDS
    ) -> float:
        """Return the cost of expressions on a frame that is encoded."""
        chosen = SETTINGS.model_copy(update={'rounds': rounds})
        memory = matcher.encode_image(self.image)
        return self.of(lambda: ground(matcher, memory, expressions, chosen), 3 * self.repeats)

    def peak(self, work: Callable[[], object]) -> float:
        """Return MB of memory at most in use during work(); on a CPU the process's peak so far."""
        if self.device == 'cpu':
            work()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        torch.cuda.reset_peak_memory_stats()
        work()
        return torch.cuda.max_memory_allocated() / 1e6

    def encoder_rows(self) -> dict[str, dict[str, float]]:
        """Print and return limit, first and next by the encoder's precision."""
        exact, rows = None, {}
        dtypes = [torch.float32, torch.bfloat16]
        if self.device != 'cpu':
            dtypes.append(torch.float16)
        print(f'\nencoder     ViT {self.unit:<3} first {self.unit:<3} of ViT  next {self.unit:<4}'
              ' deviation of the heatmap')  # fmt: skip
        for dtype in dtypes:
            matcher = blip_matcher(base_model(), self.words, self.device, dtype)
            vit = self.of(partial(vision, matcher, self.image, dtype))
            first = self.first(matcher, [self.expression])
            following = self.following(matcher, [self.expression])
            memory = matcher.encode_image(self.image)
            heatmap = ground(matcher, memory, [self.expression], SETTINGS)[0].heatmap
            exact = heatmap if exact is None else exact
            name = str(dtype).removeprefix('torch.')
            rows[name] = {
                'vit': vit,
                'first': first,
                'next': following,
                'deviation': (heatmap - exact).abs().max().item(),
            }
            print(f'{name:<9} {vit:8.3f} {first:9.3f} {first / vit:8.2f} {following:8.4f}'
                  f' {rows[name]["deviation"]:14.2g}')  # fmt: skip
        return rows

    def run(self) -> dict:
        """Print every table and return the figures."""
        rows = self.encoder_rows()
        matcher = blip_matcher(base_model(), self.words, self.device)
        memory_ours = self.peak(
            partial(new_frame, matcher, self.image, [self.expression], SETTINGS)
        )
        print(f'\nexpressions   first {self.unit:<3} x one   next {self.unit}')
        by_count = {}
        for count in (1, 2, 4, 8, 16):
            pair = (self.first(matcher, [self.expression] * count),
                    self.following(matcher, [self.expression] * count))  # fmt: skip
            by_count[count] = pair
            print(f'{count:>11} {pair[0]:9.3f} {pair[0] / by_count[1][0]:6.2f} {pair[1]:9.4f}')
        print(f'\nrounds   first {self.unit:<3}  next {self.unit}')
        by_rounds = {}
        for count in (1, 2, 3, 4):
            pair = (self.first(matcher, [self.expression], count),
                    self.following(matcher, [self.expression], count))  # fmt: skip
            by_rounds[count] = pair
            print(f'{count:>6} {pair[0]:9.3f} {pair[1]:9.4f}')

        model = base_model().to(self.device)
        pixels = torch.randn(1, 3, 384, 384, device=self.device)
        plain = self.of(lambda: plain_rounds(model, self.words, pixels, self.prompt), 1)
        memory_plain = self.peak(lambda: plain_rounds(model, self.words, pixels, self.prompt))
        single = rows['float32']
        print(f'\nplain way, {ROUNDS} rounds: {plain:.3f} {self.unit};'
              f' ours is {plain / single["first"]:.1f} times faster on a new frame,'
              f' {plain / single["next"]:.1f} times on the same frame')  # fmt: skip
        print(f'peak memory: ours {memory_ours:.0f} MB, plain {memory_plain:.0f} MB')
        return {
            'encoders': rows,
            'expressions': by_count,
            'rounds': by_rounds,
            'plain': plain,
            'peak_mb': {'ours': memory_ours, 'plain': memory_plain},
        }


def new_frame(
    matcher: FusionMatcher, image: Tensor, expressions: list[Expression], chosen: GroundingSettings
) -> None:
    """Encode an image and ground expressions in it."""
    ground(matcher, matcher.encode_image(image), expressions, chosen)


@torch.no_grad()
def vision(matcher: FusionMatcher, image: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what one forward of the image encoder gives."""
    return matcher.vision(pixel_values=matcher.pixels(image).to(dtype)).last_hidden_state


def main() -> int:
    """Print the tables; with --json, write the figures too."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--device', default='cpu', choices=('cpu', 'cuda'))
    parser.add_argument('--repeats', type=int, default=3, help='runs of which the median counts')
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    if options.device == 'cpu':
        torch.set_num_threads(1)
        print('one CPU thread; BLIP-base 384 px, random weights, 480 x 640 image')
    else:
        options.repeats *= 5
        print(f'{torch.cuda.get_device_name()}; BLIP-base 384 px, random weights, 480 x 640 image')
    figures = Bench(options.device, options.repeats).run()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
