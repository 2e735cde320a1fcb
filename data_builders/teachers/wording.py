"""How requests are worded, and pieces of sentences put together: what the template teacher reads and writes with."""

from __future__ import annotations

import re

WANTS = re.compile(
    r"\b(?:how (?:do|can|could|would|should) (?:i|we|you)|how to|(?:the )?steps (?:to|for)|"
    r"i (?:want|need|would like) to|help me(?: to)?|teach me to)\s+([^.?!]+)",
    re.IGNORECASE,
)
"""A wish to do something; the group is what."""
ASKED = (
    (re.compile(r"\b(?:do you agree|is it true|don't you agree)\b", re.IGNORECASE), "agreement"),
    (re.compile(r"\b(?:prefer|better|choose one|which of (?:the )?two)\b|\blike .+ more\b", re.IGNORECASE), "a choice"),
    (re.compile(r"(?:^|[.!?]\s+)(?:please )?(?:shout|say|repeat|sing)\b", re.IGNORECASE), "words to be said"),
    (
        re.compile(r"\b(?:describe|caption)\b|\bwhat (?:does the image show|is in the image)\b", re.IGNORECASE),
        "a description",
    ),
)
WRITE = re.compile(
    r"\b(?:write|invent|compose|make up|draft)\s+((?:[\w-]+\s+){0,2}[\w-]+?)\s+(?:about|with|on|for)\b", re.IGNORECASE
)


def kind_of(instruction: str) -> str:
    """``for a choice``, ``for a false story``, ``a question`` ..."""
    written = WRITE.search(instruction)
    if written:
        return f"for {written[1].strip().lower()}"
    return next((f"for {what}" for pattern, what in ASKED if pattern.search(instruction)), "a question")


def lowered(caption: str) -> str:
    """A caption as the object of a sentence: without its full stop, its first letter small."""
    caption = caption.strip().rstrip(".")
    return caption[:1].lower() + caption[1:] if not caption[1:2].isupper() else caption


def sentence(text: str) -> str:
    """A text with a full stop, where it ends without a sign."""
    return text if text.endswith((".", "!", "?", "...")) else f"{text}."
