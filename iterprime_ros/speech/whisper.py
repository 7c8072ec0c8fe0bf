"""Speech by Whisper with transformers.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML 2023 (arXiv
2212.04356).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    GenerationMixin,
    PreTrainedTokenizerBase,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)

from iterprime_ros.errors import WeightsMismatchError
from iterprime_ros.pretrained import load_pretrained
from iterprime_ros.speech.commands import is_wanted_language, spoken_text
from iterprime_ros.speech.recognizer import SAMPLE_RATE, Hypothesis
from iterprime_ros.weights import ON_CPU, Placement, model_folder, reading

DEFAULT_WEIGHTS = 'openai/whisper-base.en'
MAX_SECONDS = 30  # that the model hears; the rest of an utterance is cut off
_MAX_TOKENS = 64  # of a command
_START, _END = '<|startoftranscript|>', '<|endoftext|>'
_TASK = ('<|transcribe|>', '<|notimestamps|>')


class WhisperRecognizer:
    """Recognises any text; see recognizer.Recognizer. It has no partial texts.

    model: in evaluation mode.
    tokenizer: of the model. One with the token <|en|> is of a model of many languages.
    n_best: number of beams, and most hypotheses of an utterance.
    languages: codes of those that are listened to, ('en',); all that the model knows for ().
    """

    def __init__(
        self,
        model: WhisperForConditionalGeneration,
        tokenizer: PreTrainedTokenizerBase,
        n_best: int = 10,
        languages: Sequence[str] = ('en',),
    ) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._n_best, self._languages = n_best, tuple(languages)
        self._features = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)
        self._language_ids = _language_ids(tokenizer)
        self._heard: list[NDArray[np.float32]] | None = None

    def start(self) -> None:
        """See Recognizer."""
        self._heard = []

    def hear(self, samples: NDArray[np.float32]) -> str:
        """See Recognizer; returns '', and raises ValueError before start."""
        if self._heard is None:
            raise ValueError('start() comes before hear().')
        self._heard.append(np.array(samples, np.float32))
        return ''

    @torch.inference_mode()
    def finish(self) -> tuple[Hypothesis, ...]:
        """See Recognizer; raises ValueError before start."""
        if self._heard is None:
            raise ValueError('start() comes before finish().')
        sound = np.concatenate([np.zeros(0, np.float32), *self._heard])
        self._heard = None
        if not len(sound):
            return ()
        model = self._model
        given = self._features(
            sound[: MAX_SECONDS * SAMPLE_RATE], sampling_rate=SAMPLE_RATE, return_tensors='pt'
        )
        features = given.input_features.to(model.device, model.dtype)
        encoded = model.get_encoder()(features)
        prompt: list[Any] = [self._tokenizer.convert_tokens_to_ids(_START)]
        if self._language_ids:
            language = self._language(encoded, prompt)
            if not is_wanted_language(language, self._languages):
                return ()
            prompt.append(self._language_ids[language])
        task = _TASK if self._language_ids else _TASK[1:]
        prompt += [self._tokenizer.convert_tokens_to_ids(token) for token in task]
        end = self._tokenizer.convert_tokens_to_ids(_END)
        settings = GenerationConfig(
            max_new_tokens=min(_MAX_TOKENS, model.config.max_target_positions - len(prompt)),
            num_beams=self._n_best,
            num_return_sequences=self._n_best,
            length_penalty=0.0,  # scores are then log probabilities of whole texts
            do_sample=False,
            bos_token_id=prompt[0],
            eos_token_id=end,
            pad_token_id=end,
            decoder_start_token_id=prompt[0],
            return_dict_in_generate=True,
            output_scores=True,
        )
        # Whisper's own generate() splits long sounds, and gives no hypotheses.
        generate: Any = GenerationMixin.generate
        found = generate(
            model,
            encoder_outputs=encoded,
            decoder_input_ids=torch.tensor([prompt], device=model.device),
            generation_config=settings,
        )
        texts = self._tokenizer.batch_decode(
            found.sequences[:, len(prompt) :], skip_special_tokens=True
        )
        logs = found.sequences_scores if self._n_best > 1 else _log_probability(found)
        return _joined(texts, logs.double().exp().tolist())

    def _language(self, encoded: Any, prompt: list[int]) -> str:
        """Return the code of the language that is spoken, as Whisper detects it."""
        if len(self._languages) == 1 and self._languages[0] in self._language_ids:
            return self._languages[0]
        model = self._model
        start = torch.tensor([prompt], device=model.device)
        logits = model(encoder_outputs=encoded, decoder_input_ids=start).logits[0, -1]
        codes = list(self._language_ids)
        return codes[int(logits[[self._language_ids[code] for code in codes]].argmax())]


def load_whisper(
    weights: str | Path = DEFAULT_WEIGHTS,
    n_best: int = 10,
    languages: Sequence[str] = ('en',),
    placement: Placement = ON_CPU,
) -> WhisperRecognizer:
    """Return the recogniser of a model of transformers' format, in a folder or on the hub.

    Raises WeightsNotFoundError and WeightsMismatchError.
    """
    folder = model_folder(weights, 'Whisper model', placement)

    def rehearse(outline: WhisperForConditionalGeneration) -> None:
        shape = (1, outline.config.num_mel_bins, 2 * outline.config.max_source_positions)
        first = torch.zeros((1, 1), dtype=torch.int64, device='meta')
        outline(torch.zeros(shape, device='meta'), decoder_input_ids=first)

    model = load_pretrained(
        WhisperForConditionalGeneration, folder, 'Whisper model', 'sdpa', rehearse, placement
    )
    with reading(folder, 'tokenizer of Whisper', placement):
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    known = tokenizer.get_vocab()
    missing = [token for token in (_START, _END, _TASK[1]) if token not in known]
    if missing:
        raise WeightsMismatchError(
            f'The tokenizer in {folder} is not of Whisper: it lacks {", ".join(missing)}.'
        )
    model = model.eval().requires_grad_(False).to(placement.device)
    return WhisperRecognizer(model, tokenizer, n_best, languages)


def _language_ids(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """Return the tokens of languages by their codes; none for a model of one language."""
    found = {
        token[2:-2]: number
        for token, number in tokenizer.get_vocab().items()
        if token.startswith('<|') and token.endswith('|>') and token[2:-2].isalpha()
        and len(token) in (6, 7)
    }  # fmt: skip
    return found if 'en' in found else {}


def _log_probability(found: Any) -> torch.Tensor:
    """Return the log probability (1,) of a text that was found without beams."""
    scores = torch.stack(found.scores).log_softmax(-1)[:, 0]
    tokens = found.sequences[0, -len(scores) :]
    return scores.gather(1, tokens[:, None]).sum()[None]


def _joined(texts: Sequence[str], chances: Sequence[float]) -> tuple[Hypothesis, ...]:
    """Return texts as hypotheses, each spoken text once, best first."""
    total: dict[str, float] = {}
    for text, chance in zip(map(spoken_text, texts), chances, strict=True):
        if text:
            total[text] = min(1.0, total.get(text, 0.0) + chance)
    ranked = sorted(total.items(), key=lambda each: -each[1])
    return tuple(Hypothesis(text, chance) for text, chance in ranked)
