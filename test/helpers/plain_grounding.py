"""The plain way: whole forward, whole backward, one expression at a time, loops over equations."""

import math
from contextlib import contextmanager

import torch


@contextmanager
def hidden_patches(model, seen):
    """While it lasts, no block attends to the patches that are not seen (N,) bool."""
    # transformers 5.23 loses the encoder's attention mask on its way to cross-attention.
    bias = torch.zeros(1 + len(seen), dtype=model.itm_head.weight.dtype)
    bias[1:][~seen] = torch.finfo(torch.float32).min

    def mask(_, arguments, named):
        return arguments, {**named, 'encoder_attention_mask': bias}

    layers = [layer.crossattention.self for layer in model.text_encoder.encoder.layer]
    handles = [layer.register_forward_pre_hook(mask, with_kwargs=True) for layer in layers]
    try:
        yield layers
    finally:
        for handle in handles:
            handle.remove()


def both_logits(model, tokenizer, pixels, text, ends_with_sep=True):
    """Return the logits (2,) of a whole forward pass."""
    ids = tokenizer(text, add_special_tokens=False)['input_ids']
    ids = [tokenizer.cls_token_id, *ids, *([tokenizer.sep_token_id] if ends_with_sep else [])]
    patches = model.vision_model(pixel_values=pixels).last_hidden_state
    hidden = model.text_encoder(
        input_ids=torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        encoder_hidden_states=patches,
    ).last_hidden_state
    return model.itm_head(hidden[:, 0])[0]


@torch.no_grad()
def matching_logit(model, tokenizer, pixels, text, seen):
    """Return the log odds of a match where the patches seen (N,) bool are shown."""
    with hidden_patches(model, seen):
        against, match = both_logits(model, tokenizer, pixels, text)
    return (match - against).item()


def look(model, tokenizer, pixels, text, seen, block, ends_with_sep=True):
    """Return A, dz/dA (H, T, N), z and the probability, with gradients through everything.

    seen: (N,) bool. model: a BlipForImageTextRetrieval.
    """
    recorded = {}

    def record(_, __, output):
        output[1].retain_grad()
        recorded['attention'] = output[1]

    wanted = [parameter.requires_grad for parameter in model.parameters()]
    model.requires_grad_(True)
    try:
        with hidden_patches(model, seen) as layers:
            handle = layers[block].register_forward_hook(record)
            try:
                logits = both_logits(model, tokenizer, pixels, text, ends_with_sep)
            finally:
                handle.remove()
        logits[1].backward()
    finally:
        model.zero_grad()
        for parameter, before in zip(model.parameters(), wanted, strict=True):
            parameter.requires_grad_(before)
    attention = recorded['attention']
    gradient = attention.grad[0, :, :, 1:]
    probability = logits.detach().softmax(-1)[1].item()
    return attention.detach()[0, :, :, 1:], gradient, logits[1].item(), probability


def tokens_of(tokenizer, text, span):
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return [
        number + 1
        for number, (start, end) in enumerate(offsets['offset_mapping'])
        if start < span[1] and end > span[0]
    ]


def token_count(tokenizer, text, ends_with_sep=True):
    return len(tokenizer(text, add_special_tokens=False)['input_ids']) + 1 + ends_with_sep


def emphasised(attention, gradient, primary, focus, real, local_on, global_on, head_means):
    """The map (N,), by a list of maps (H, N). primary, focus: lists of token numbers."""
    positive = gradient.clamp(min=0)
    maps = [attention[:, t] * positive[:, t] for t in range(attention.shape[1])]
    if not primary and head_means:
        means = [attention[:, t].mean(0) * positive[:, t].mean(0) for t in range(real)]
        return sum(means) / real if focus else means[0]
    if not focus:
        return torch.stack([maps[t] for t in range(real)]).mean(0).mean(0)
    listed = [maps[0]] + [maps[t] for t in focus]
    if primary and local_on:
        attention_p = sum(attention[:, t] for t in primary) / len(primary)
        gradient_p = sum(positive[:, t] for t in primary) / len(primary)
        others = [t for t in focus if t not in primary]
        differences = [attention_p - attention[:, t] for t in others] or [attention_p]
        norm = torch.sqrt(sum(difference**2 for difference in differences))
        for difference in differences:
            unit = torch.where(norm == 0, torch.zeros_like(norm), difference / norm)
            listed.append(unit * gradient_p * (attention_p * gradient_p))
    if primary and global_on:
        for _ in range(len(focus)):
            listed += [maps[t] for t in primary]
    return torch.stack(listed).mean(0).mean(0)


def scale(values):
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def refined(round_of, count, settings):
    """Return the running map (list of N) and the rounds' (map, probability, hidden).

    round_of(seen) returns a map (N,) tensor and a probability.
    """
    seen = torch.ones(count, dtype=torch.bool)
    running, rounds = None, []
    for number in range(settings.rounds):
        heatmap, probability = round_of(seen)
        heatmap = scale(heatmap.tolist())
        failed = settings.stop_early and number > 0 and probability < rounds[-1][1]
        rounds.append((heatmap, probability, (~seen).tolist()))
        if number == 0:
            running = heatmap
        elif not failed or settings.keep_failed_round:
            keep = settings.momentum
            running = [
                keep * old + (1 - keep) * new for old, new in zip(running, heatmap, strict=True)
            ]
        if failed:
            break
        steep = [sigmoid(settings.sharpness * (value - settings.midpoint)) for value in heatmap]
        sharp = [value / max(steep) for value in steep]
        if max(heatmap) > 0:
            seen = seen & torch.tensor([value < settings.drop_threshold for value in sharp])
        if settings.rounds == 1 and settings.sharpen_single_round:
            running = sharp
    return running, rounds
