"""What heatmaps and region matches cost: ours beside the plain way and beside the limit.

plain: whole forward and whole backward, with gradients for every parameter, in each round; for
       regions one whole forward without gradients for each of them alone, for the image without
       each, and for the image.
limit: one forward of the image encoder without gradients.
ours:  the first expression on a frame, and the next ones on the same frame; for regions with the
       image encoded before.

The model is BLIP-base at 384 px with random weights. On a CPU the unit is CPU seconds of one
thread, with denormal numbers flushed to 0; on CUDA wall milliseconds. Printed are the median and,
in brackets, the least and the most of the repeats, in which all that is compared takes turns.

python benchmarks/grounding.py [--device cuda] [--json FILE]
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
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
from iterprime_ros.grounding.region_match import region_logits
from iterprime_ros.grounding.settings import GroundingSettings

ROUNDS = 3
TEXT = 'the red mug left of the bottle'
NOUN_PHRASES = ('red mug', 'bottle', 'the mug left of the bottle', 'there is a red mug')
REGIONS = 32
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


@dataclass(frozen=True)
class Cost:
    """What a piece of work costs: CPU seconds on the CPU, wall milliseconds on CUDA.

    median, low, high: over the repeats.
    """

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f'{self.median:.3f} ({self.low:.3f} to {self.high:.3f})'


def costs(works: dict[str, Callable[[], object]], device: str, repeats: int) -> dict[str, Cost]:
    """Return the cost of each piece of work.

    They take turns, so that whatever else the machine does meets all of them; one run each warms
    up.
    """

    def once(work: Callable[[], object]) -> float:
        if device == 'cpu':
            started = time.process_time()
            work()
            return time.process_time() - started
        torch.cuda.synchronize()
        started = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return 1e3 * (time.perf_counter() - started)

    spent: dict[str, list[float]] = {name: [] for name in works}
    for number in range(1 + repeats):
        for name, work in works.items():
            seconds = once(work)
            if number:
                spent[name].append(seconds)
    return {
        name: Cost(statistics.median(some), min(some), max(some)) for name, some in spent.items()
    }


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


def random_regions(side: int) -> Tensor:
    """Return REGIONS rectangles of 1 to side / 2 patches along each side, (K, side * side) bool."""
    generator = torch.Generator().manual_seed(0)
    regions = torch.zeros((REGIONS, side, side), dtype=torch.bool)
    for region in regions:
        height, width = torch.randint(1, side // 2 + 1, (2,), generator=generator).tolist()
        row, column = (
            int(torch.randint(0, side - length + 1, (1,), generator=generator))
            for length in (height, width)
        )
        region[row : row + height, column : column + width] = True
    return regions.flatten(1)


@torch.no_grad()
def plain_match(
    model: Any, words: PreTrainedTokenizerFast, patches: Tensor | None, pixels: Tensor, text: str
) -> None:
    """Match a text with a part of an image, which the image encoder encodes unless it did."""
    device = pixels.device
    numbers = words(text, add_special_tokens=False)['input_ids']
    ids = torch.tensor([[words.cls_token_id, *numbers, words.sep_token_id]], device=device)
    if patches is None:
        patches = model.vision_model(pixel_values=pixels).last_hidden_state
    hidden = model.text_encoder(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        encoder_hidden_states=patches,
        encoder_attention_mask=torch.ones(patches.shape[:2], dtype=torch.int64, device=device),
    ).last_hidden_state
    model.itm_head(hidden[:, 0])


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

    def costs(self, works: dict[str, Callable[[], object]]) -> dict[str, Cost]:
        """Return the cost of each piece of work."""
        return costs(works, self.device, self.repeats)

    def pair(
        self, matcher: FusionMatcher, count: int = 1, rounds: int = ROUNDS
    ) -> dict[str, Callable[[], object]]:
        """Return the work on a new frame and on the same frame, for some expressions."""
        chosen = SETTINGS.model_copy(update={'rounds': rounds})
        expressions = [self.expression] * count
        memory = matcher.encode_image(self.image)
        return {
            'first': partial(new_frame, matcher, self.image, expressions, chosen),
            'next': partial(ground, matcher, memory, expressions, chosen),
        }

    def peak(self, work: Callable[[], object]) -> float:
        """Return MB of memory at most in use during work(); on a CPU the process's peak so far."""
        if self.device == 'cpu':
            work()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        torch.cuda.reset_peak_memory_stats()
        work()
        return torch.cuda.max_memory_allocated() / 1e6

    def encoder_rows(self) -> dict[str, dict[str, Any]]:
        """Print and return limit, first and next by the encoder's precision."""
        exact: Tensor | None = None
        rows: dict[str, dict[str, Any]] = {}
        dtypes = [torch.float32, torch.bfloat16]
        if self.device != 'cpu':
            dtypes.append(torch.float16)
        print(
            f'\nencoder    {"ViT":<24}{"first":<24}of ViT  {"next":<24}heatmap off by ({self.unit})'
        )
        for dtype in dtypes:
            matcher = blip_matcher(base_model(), self.words, self.device, dtype)
            vit = partial(vision, matcher, self.image, dtype)
            found = self.costs({'vit': vit, **self.pair(matcher)})
            memory = matcher.encode_image(self.image)
            heatmap = ground(matcher, memory, [self.expression], SETTINGS)[0].heatmap
            exact = heatmap if exact is None else exact
            name = str(dtype).removeprefix('torch.')
            deviation = (heatmap - exact).abs().max().item()
            rows[name] = {**{key: asdict(cost) for key, cost in found.items()}, 'off': deviation}
            print(
                f'{name:<11}{found["vit"]!s:<24}{found["first"]!s:<24}'
                f'{found["first"].median / found["vit"].median:<8.2f}{found["next"]!s:<24}'
                f'{deviation:.2g}'
            )
        return rows

    def region_rows(self) -> dict[str, dict[str, Any]]:
        """Print and return what matching texts with REGIONS regions costs."""
        matcher = blip_matcher(base_model(), self.words, self.device)
        regions = random_regions(matcher.grid[0]).to(self.device)
        memory = matcher.encode_image(self.image)
        model = base_model().to(self.device)
        pixels = matcher.pixels(self.image)
        with torch.no_grad():
            patches = model.vision_model(pixel_values=pixels).last_hidden_state
        forwards = 2 * REGIONS + 1
        chosen = [(text,) for text in (NOUN_PHRASES[0], NOUN_PHRASES[-1])]
        texts = {', '.join(each): each for each in (*chosen, NOUN_PHRASES[:2], NOUN_PHRASES[:3])}
        works: dict[str, Callable[[], object]] = {
            'vit': partial(vision, matcher, self.image, torch.float32),
            'plain': partial(plain_match, model, self.words, None, pixels, NOUN_PHRASES[0]),
            'text': partial(plain_match, model, self.words, patches, pixels, NOUN_PHRASES[0]),
        }
        for name, each in texts.items():
            works[name] = partial(region_logits, matcher, memory, each, regions)
            works[f'{name}, alone'] = partial(
                region_logits, matcher, memory, each, regions, contrast=False
            )
        found = self.costs(works)
        limit, first = found['vit'].median, found[next(iter(texts))].median
        print(
            f'\n{REGIONS} regions: texts{"":<34}{"cost":<24}of ViT  '
            f'{"regions alone":<24}of ViT ({self.unit})'
        )
        for name in texts:
            whole, alone = found[name], found[f'{name}, alone']
            print(
                f'{name:<46}{whole!s:<24}{whole.median / limit:<8.2f}'
                f'{alone!s:<24}{alone.median / limit:.2f}'
            )
        print(
            f'plain way: {forwards} forwards of {found["plain"]} {self.unit} for the first text, '
            f'{forwards * found["plain"].median / first:.0f} times ours; with the image encoded '
            f'before, of {found["text"]}, {forwards * found["text"].median / first:.1f} times'
        )
        return {name: asdict(cost) for name, cost in found.items()}

    def run(self) -> dict:
        """Print every table and return the figures."""
        region_rows = self.region_rows()
        rows = self.encoder_rows()
        matcher = blip_matcher(base_model(), self.words, self.device)
        memory_ours = self.peak(
            partial(new_frame, matcher, self.image, [self.expression], SETTINGS)
        )
        print(f'\nexpressions  {"first":<24}x one   next ({self.unit})')
        by_count = {}
        for count in (1, 2, 4, 8, 16):
            by_count[count] = self.costs(self.pair(matcher, count))
            first = by_count[count]['first']
            ratio = first.median / by_count[1]['first'].median
            print(f'{count:<13}{first!s:<24}{ratio:<8.2f}{by_count[count]["next"]}')
        print(f'\nrounds       {"first":<24}next ({self.unit})')
        by_rounds = {}
        for count in (1, 2, 3, 4):
            by_rounds[count] = self.costs(self.pair(matcher, rounds=count))
            print(f'{count:<13}{by_rounds[count]["first"]!s:<24}{by_rounds[count]["next"]}')

        model = base_model().to(self.device)
        pixels = torch.randn(1, 3, 384, 384, device=self.device)
        plain = partial(plain_rounds, model, self.words, pixels, self.prompt)
        compared = self.costs({'plain': plain, **self.pair(matcher)})
        memory_plain = self.peak(plain)
        slow = compared['plain'].median
        print(
            f'\nplain way, {ROUNDS} rounds: {compared["plain"]} {self.unit}; ours is '
            f'{slow / compared["first"].median:.1f} times faster on a new frame, '
            f'{slow / compared["next"].median:.1f} times on the same frame'
        )
        print(f'peak memory: ours {memory_ours:.0f} MB, plain {memory_plain:.0f} MB')
        return {
            'regions': region_rows,
            'encoders': rows,
            'expressions': _written(by_count),
            'rounds': _written(by_rounds),
            'plain': asdict(compared['plain']),
            'peak_mb': {'ours': memory_ours, 'plain': memory_plain},
        }


def _written(table: dict[int, dict[str, Cost]]) -> dict[int, dict[str, dict[str, float]]]:
    return {
        count: {name: asdict(cost) for name, cost in row.items()} for count, row in table.items()
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
    parser.add_argument(
        '--repeats', type=int, default=3, help='runs of each, in turns (default: 3)'
    )
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    if options.device == 'cpu':
        torch.set_num_threads(1)
        # Random weights give gradients near 0, on which CPUs take many times as long.
        torch.set_flush_denormal(True)
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
