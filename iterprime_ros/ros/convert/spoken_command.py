"""What may have been said, from and to messages."""

from iterprime_ros.msg import SpokenCommand
from iterprime_ros.speech.recognizer import Hypothesis


def hypotheses_of(message: SpokenCommand) -> tuple[Hypothesis, ...]:
    """Return the hypotheses of a message, best first; those without a confidence are left out."""
    pairs = zip(message.transcript, message.confidence, strict=False)
    return tuple(Hypothesis(text, float(confidence)) for text, confidence in pairs)
