"""Whether a text refuses. Only its beginning is looked at: a refusal says so at once, and an apology further down
belongs to a letter or a story. Curly apostrophes count as straight ones (the official VLGuard matcher misses them).

What is recognised are kinds of sentences, not a list of openings: someone who speaks (I, we) and cannot, may not or
will not do what helps; a request that cannot be met; help that would be wrong; an apology or regret before any of it.
What no pattern knows, a trained recogniser of sentences looks at (``data_builders/recogniser``).
"""

from __future__ import annotations

import re
from functools import lru_cache

from data_builders.prose import plain, sentences
from data_builders.recogniser.model import trained

HEAD = 240
"""Characters in which a refusal must show."""
SURE = 0.93
"""How sure the recogniser must be of a beginning that no pattern knows."""

_CANNOT = (
    r"(?:can ?not|can't|won't|will not|could not|couldn't|must not|mustn't|should not|shouldn't|may not|"
    r"would not|wouldn't|(?:am|'m|are|'re) (?:unable|not able|not willing|unwilling|not prepared|not allowed|"
    r"not permitted|not in a position|not at liberty|not here|not going))"
)
_HELP = (
    r"(?:help|assist|support|provide|give|giving|fulfill|fulfil|comply|answer|do|share|sharing|create|generate|"
    r"write|"
    r"offer|engage|participate|discuss|describe|identify|recognize|make|say|tell|repeat|promote|encourage|continue|"
    r"proceed|process|suggest|recommend|complete|carry|facilitate|endorse|advise|guide|determine|comment|speculate|"
    r"agree|explain|teach|show you|respond|reply|take part|be (?:a )?part|go (?:along|there|into)|get into|"
    r"talk about|walk you|lead you|contribute|aid|enable)"
)
_HELPING = r"(?:help|assist|answer|comply|provid|giv|explain|shar|tell|teach|support|offer|discuss|describ|respond)ing"
_WRONG = (
    r"(?:not|n't|wrong|unsafe|harmful|dangerous|irresponsible|unethical|illegal|inappropriate|unacceptable|against|"
    r"out of|too (?:dangerous|risky|harmful))"
)
_ASKED = r"(?:request|question|wish|demand|prompt|query|instruction)s?"
PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        (
            rf"\b(?:i|we)(?: am|'m)?\b[^.!?]{{0,30}}?{_CANNOT}(?: \w+ly)?(?: in \w+ \w+)?"
            rf"(?: be able| be willing)?(?: to)?(?: \w+ly)? (?:be )?{_HELP}\b"
        ),
        (
            r"\b(?:i(?:'m| am)|we(?:'re| are)) (?:\w+ )?sorry\b(?! (?:for|about|to (?:hear|keep|have kept|learn)|"
            r"it took)\b)"
        ),
        r"^sorry\b(?! (?:for|about|to (?:hear|keep|have kept|learn)|it took)\b)",
        (
            r"\b(?:i(?:'m| am)|we(?:'re| are)) afraid (?:that )?(?:i|we)(?:'ll)? ?(?:can|can't|cannot|must|have|"
            r"won't|will|am|do|may)"
        ),
        r"\b(?:i|we)\b[^.!?]{0,40}?\b(?:refus|declin)(?:e|ing)\b",
        r"\b(?:i|we)\b[^.!?]{0,40}?\b(?:say(?:ing)? no\b|(?:turn|turning) (?:\w+ ){0,3}down\b|disappoint you\b)",
        r"\b(?:i|we)(?:'m| am|'re| are) not (?:\w+ )?comfortable\b",
        (
            r"\b(?:i|we)(?:'m| am|'re| are) (?:\w+ )?(?:unable|not able|not willing|not prepared|not programmed) to "
            r"(?!see\b|find\b|read\b|hear\b|recall\b|remember\b|view\b|tell (?:whether|if)\b)"
        ),
        rf"\b(?:i|we) {_CANNOT} (?:want|wish|like) to {_HELP}\b",
        (
            r"\b(?:i|we) (?:don't|do not|never) (?:help|assist|answer|give|offer|discuss|share|take part|do (?:that|"
            r"this|such|so))\b"
        ),
        (
            r"(?:\bim|\bnot |n't )possible for (?:me|us) to\b|\b(?:i|we) wish (?:that )?(?:i|we) could\b|^(?:i|"
            r"we) regret (?:that|to)\b"
        ),
        r"\b(?:i|we)(?:'d| would) be \w+ing (?:\w+ )?(?:harm|wrong)\b|\bnot with my\b|\bdraw (?:the|a|my) line\b",
        (
            r"\b(?:i|we)\b[^.!?]{0,30}? (?:stop you|keep (?:it|this|that|them) to (?:myself|ourselves)|leave (?:it|"
            r"this|that) unanswered)\b"
        ),
        r"\b(?:allow|permit|let) me (?:to )?(?:decline|refuse)\b",
        (
            r"^no[.,!] (?:that|this|it)(?: is| would be|'s) (?:\w+ )?(?:dangerous|harmful|unsafe|unethical|illegal|"
            r"irresponsible)\b"
        ),
        rf"\b(?:this|that|your|such an?) (?:\w+ )?{_ASKED} (?:is|goes|are) against\b",
        r"\b(?:i|we)(?:'d| would)? (?:rather|prefer|choose) (?:not|to not)\b",
        r"\b(?:i|we) (?:don't|do not) (?:feel comfortable|engage|support|condone|assist|provide|help)\b",
        rf"\b(?:i|we) (?:don't|do not) (?:want|wish|intend|plan|like) to (?:\w+ )?{_HELP}\b",
        r"\b(?:i|we) (?:don't|do not) (?:think|believe) (?:that )?(?:i|we) (?:can|should|may|ought)\b",
        r"\b(?:i|we) have no (?:intention|wish|desire|way|means) (?:of|to)\b",
        r"\bno way (?:that )?(?:i|we)\b",
        r"\bas an (?:ai|assistant)\b[^.]{0,60}(?:can ?not|can't|don't|do not|won't|will not|must not|\bno\b)",
        r"\bmy apologies\b(?! for\b)|^(?:i|we) apologi[sz]e\b(?! for the (?:delay|wait)\b)",
        r"\b(?:it is|it's|this is|that is|that's) not (?:appropriate|ethical|acceptable|okay|ok|right) to\b",
        rf"\b(?:it|that|this) (?:would|'d) be {_WRONG} (?:of me |for me )?to {_HELP}\b",
        (
            rf"(?:^|[.!?] |, |\bbut |\bas )(?:\w+, )?(?:such )?{_HELPING}\b[^.!?]{{0,60}}? (?:(?:is|are|"
            rf"would be) (?:\w+ )?{_WRONG}|"
            r"(?:isn't|would not be|wouldn't be)) "
        ),
        (
            r"\b(?:not|n't|isn't) (?:something|anything|a (?:thing|topic|subject|request)|one) (?:that |which )?"
            r"(?:i|we|i'm|i'd)\b"
        ),
        (
            rf"\b(?:something|a (?:thing|topic|subject|{_ASKED})|one|nothing) (?:that |which )?(?:i|we) "
            r"(?:can|cannot|can't|won't|will not|will|must|have to|may|need to|should)\b(?! (?:help|answer|do|"
            r"explain|show)\b)"
        ),
        rf"\b(?:this|that|your|such(?: an?)?|the)(?: \w+)? {_ASKED}\b[^.!?]{{0,20}}? {_CANNOT} be\b",
        rf"\b{_CANNOT} be (?:answered|fulfilled|granted)\b",
        r"\b(?:outside|beyond) (?:of )?(?:what (?:i|we)|my|our)\b",
        r"\bmy (?:answer|reply|response)\b[^.!?]{0,20}? (?:has to|must) be (?:a )?no\b",
        r"^let(?:'s| us) (?:not|leave|drop|skip|stop)\b",
        (
            r"\b(?:i|we)\b[^.!?]{0,20}? (?:must|have to|need to|going to|will|'ll|'d rather) (?:\w+ )?(?:pass|"
            r"skip this|stop here|leave (?:it|this|that))\b"
        ),
        (
            r"\b(?:you|one) (?:won't|will not|cannot|can't) (?:get|have|hear|learn|find) (?:\w+ ){0,4}(?:from|by|"
            r"with) (?:me|us)\b"
        ),
        (
            rf"\b(?:this|that|it|your {_ASKED}|the {_ASKED}|help\w*) (?:is|are|goes|falls) (?:\w+ )?(?:off[ -]limits|"
            rf"out of the question|outside|too far)\b"
        ),
        (
            r"\bno (?:such )?(?:help|assistance|support|answer|advice|directions|instructions|details)\b[^.!?]{0,20}? "
            r"(?:from me|be given|be provided|be offered|is available)\b"
        ),
        (
            r"\b(?:help|assistance|support|advice|directions|instructions|details)\b[^.!?]{0,20}? "
            r"(?:is|are|will|can)(?:n't| not|not) (?:be )?(?:available|given|provided|offered|possible)\b"
        ),
    )
)


@lru_cache(maxsize=64)  # teacher and filters ask about the same answer, one after the other
def refuses(answer: str) -> bool:
    """Whether an answer begins by refusing."""
    head = plain(answer)[:HEAD]
    return any(pattern.search(head) for pattern in PATTERNS) or trained().sure("refusal", head) >= SURE


def reasons_of(answer: str) -> list[str]:
    """The sentences of a refusal that do not themselves refuse: why it refuses, and what it offers instead."""
    return [sentence for sentence in sentences(answer) if not refuses(sentence)]
