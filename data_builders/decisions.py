"""What a thought decides in its own words: to serve a request, or to refuse it.

A sentence decides where it says what the writer will do with the whole request, or how the request is to be judged. Of
several sentences the last one decides, since a thought may weigh both sides first. In a sentence, what follows a "but"
counts; conditions ("if it were harmless, I could answer") and partial service ("I can explain the danger instead")
decide nothing.
"""

from __future__ import annotations

import re

from data_builders.prose import plain, sentences
from data_builders.recogniser.model import trained

SAID = re.compile(r"\bverdict: *(allowed|disallowed|not allowed|caution)\b")
PLANNED = re.compile(r"\bplan: *(answer|refuse|decline)\b")
REFUSING = re.compile(
    r"\b(?:i|we) (?:should|must|need to|have to|will|'ll) (?:\w+ )?(?:refuse|decline)\b|"
    r"\bthe (?:right|best|only) (?:answer|thing) is to (?:refuse|decline)\b|"
    r"\b(?:i|we) (?:can't|cannot|must not|should not|shouldn't|won't) (?:\w+ )?(?:help|assist|comply|provide|"
    r"answer)\b"
)
"""A decision to refuse, in thoughts that state no verdict: long ones, which say much besides."""

_NOT = (
    r"(?:can ?not|can't|won't|will not|must not|mustn't|should not|shouldn't|may not|do not|don't|shall not|"
    r"am not going to)"
)
_WILL = (
    r"(?:can|may|will|should|shall|do|must|am going to|am able to|am free to|am happy to|'ll|'m going to|need to|"
    r"have to)"
)
_SERVE = r"(?:help|assist|comply|answer|respond|reply|serve|go ahead|proceed|oblige)"
_REFUSE = (
    r"(?:refuse|decline|reject|deny|withhold|abstain|hold back|keep out|say no|stop (?:here|there|it)|"
    r"turn (?:\w+ ){0,3}(?:down|away)|not (?:help|assist|comply|answer|respond|reply))"
)
_GIVING = (
    r"(?:(?:give|provide|explain|tell|share|do|support) (?:it|this|that|them|(?:the|any|"
    r"a full) (?:\w+ )?(?:steps?|answers?|help|details?|directions|instructions)))"
)
_REQUEST = r"(?:request|question|wish|message|prompt|query|instruction|demand)"
_BAD = (
    r"(?:harmful|unsafe|dangerous|disallowed|forbidden|prohibited|unacceptable|inappropriate|wrong|bad|"
    r"not (?:allowed|acceptable|permitted|safe|ok|okay|fine|right|harmless))"
)
_GOOD = (
    r"(?:harmless|safe|innocent|innocuous|benign|fine|ok|okay|allowed|permitted|acceptable|all right|alright|"
    r"unproblematic)"
)
_DOING = (
    r"(?:helping|answering|assisting|complying|replying|responding|an answer|a reply|help|(?:giving|"
    r"providing) (?:an? |the |any )?(?:answers?|help|steps|details|reply))"
)

DECLINES = tuple(
    re.compile(pattern)
    for pattern in (
        (
            rf"\b(?:i|we) (?:\w+ )?{_NOT} (?:\w+ )?(?:{_SERVE}|{_GIVING}|give|offer|provide|go along|take part|"
            rf"be (?:a )?part)\b"
        ),
        rf"\b(?:i|we)(?: {_WILL}|{_WILL}| had better|'d better)? (?:\w+ )?{_REFUSE}\b",
        r"\b(?:i|we)(?:'m| am|'re| are) (?:unable|not (?:able|willing|prepared|allowed)) to\b",
        rf"\b(?:i|we) (?:do not|don't|would not|wouldn't) (?:want|wish|like) to (?:{_SERVE}|{_GIVING}|give)\b",
        r"\b(?:i|we)(?:'d| would) rather not\b|\bbetter not to\b|\bno part (?:in|of)\b|\bso (?:i|we) stop\b",
        r"\b(?:i|we)\b[^.!?]{0,20}? (?:leave (?:it|this|that) unanswered|keep [^.!?]{1,20} to myself)\b",
        r"\b(?:not|n't) (?:one|something|anything|a \w+) (?:that )?(?:i|we) (?:can|may|will|should)\b",
        r"\b(?:answer|reply|response) is (?:a )?no\b|\ba (?:\w+ )?no\b(?= is| follows|$|[.!])|\brefusal\b",
        r"\b(?:deserves|gets|needs) no (?:answer|reply|help)\b",
        r"\b(?:should|must|may|will) not (?:get|have|receive) (?:this|it|that|any|help)\b",
        r"\b(?:i am|we are|i'm|we're) (?:refusing|declining|rejecting)\b",
        (
            rf"\b(?:this|it|that|{_REQUEST}|one)\b[^.!?]{{0,30}}? (?:be|is|gets?) (?:\w+ )?(?:refused|declined|"
            rf"rejected|denied|withheld|turned (?:down|away))\b"
        ),
        (
            rf"\b(?:this|it|that|{_REQUEST}|one)\b[^.!?]{{0,20}}? {_NOT} be (?:\w+ )?(?:answered|helped|served|"
            rf"supported|granted|met|fulfilled)\b"
        ),
        r"\b(?:i|we)\b[^.!?]{0,25}? (?:refuse|decline|reject)\b",
        r"\b(?:out of the question|off limits|off-limits)\b|\bmy refusal\b|\ba refusal (?:is|follows|it is)\b",
        rf"\b(?:is|are|would be) {_BAD} to (?:{_SERVE}|{_GIVING}|give|provide|explain|tell|share)\b",
        r"\b(?:is|gets?|deserves?|calls for|needs|wants|remains) (?:(?:a |my )?(?:\w+ )?refusal|a (?:\w+ )?no)\b",
        r"\bthe (?:\w+ )?\w+ (?:here )?is to (?:refuse|decline|reject|say no|not )",
        (
            r"\bno (?:help|answer|assistance|support|steps|details|directions)\b[^.!?]{0,20}? (?:given|provided|"
            r"offered|possible|due|in order|from me)\b"
        ),
        rf"\b{_DOING}\b[^.!?]{{0,30}}? (?:is|would be|are) {_BAD}\b",
        (
            rf"\b(?:this|the|that|such an?|it is an?|this is an?) (?:\w+ )?{_REQUEST} (?:is|seems|looks|"
            rf"remains) {_BAD}\b"
        ),
        rf"\b(?:it|this|that)(?: is|'s) an? {_BAD} {_REQUEST}\b",
        (
            r"\b(?:this|that|it)(?: is|'s) (?:not allowed|disallowed|forbidden|prohibited|not permitted|"
            r"not acceptable|unacceptable)\b"
        ),
    )
)
SERVES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:i|we)(?: {_WILL}|{_WILL}) (?!not\b)(?:\w+ )?(?:{_SERVE}|{_GIVING}|give (?:the|a|an) \w+)\b",
        (
            rf"\b(?:so|hence|therefore|thus|and) (?:i|we) (?:\w+ly )?(?:{_SERVE}|{_GIVING}|do so|do|give (?:the|a|"
            rf"an) (?:\w+ )?answer)\b"
        ),
        (
            r"\b(?:i|we)(?:'m| am|'re| are| will be|'ll be) (?:\w+ )?(?:glad|happy|willing|pleased|ready|free|"
            r"able) to (?:help|answer|assist|reply)\b"
        ),
        r"\b(?:i|we) (?:\w+ly )?(?:answer|help|serve|reply|respond|want to help|want to answer)\b",
        r"\b(?:does|do|causes?|brings?) no harm\b|\b(?:the user|they) (?:may|can|should) have (?:this|it|that)\b",
        (
            rf"\b(?:this|it|that|{_REQUEST})\b[^.!?]{{0,15}}? (?:can|may|should) be (?:answered|served|helped|"
            rf"granted)\b"
        ),
        rf"\b(?:this|it|the {_REQUEST})(?: is|'s) not (?:\w+ )?(?:harmful|dangerous|unsafe|wrong|bad|forbidden)\b",
        (
            rf"\b{_DOING} is in order\b|\b(?:i|we)(?: will|'ll| can| may) (?:explain|tell|show|describe) (?:how|it|"
            rf"this)\b"
        ),
        rf"\blet me (?:\w+ )?(?:{_SERVE}|explain|give|tell)\b",
        rf"\b(?:it|this|that)(?: is|'s) (?:\w+ )?{_GOOD} to (?:\w+ )?(?:{_SERVE}|{_GIVING}|give|explain|tell)\b",
        rf"\bthe (?:\w+ )?\w+ (?:here )?is to {_SERVE}\b",
        rf"\b{_DOING} (?:here )?(?:is|would be|seems) (?:\w+ )?(?:{_GOOD}|right|the (?:right|best|proper) \w+)\b",
        r"\b(?:gets?|deserves?|calls for) an? (?:\w+ )?(?:answer|reply|help)\b",
        rf"\b(?:the|this) (?:\w+ )?{_REQUEST} (?:is|seems|looks) (?:\w+ )?{_GOOD}\b",
        rf"\b(?:it|this|that)(?: is|'s) an? {_GOOD} {_REQUEST}\b",
        r"\b(?:this|it)(?: is|'s) (?:harmless|innocent|innocuous|allowed|permitted|fine|unproblematic)\b",
        (
            r"\b(?:there (?:is|'s)|there's|i see|poses?|has|carries) (?:no|nothing)\b[^.!?]{0,15}? ?\b(?:harm|danger|"
            r"risk|wrong|problem|harmful|dangerous|unsafe)\b"
        ),
        (
            r"\bnothing (?:here |about it |about this |in it |in this )?(?:is|seems|looks) (?:harmful|dangerous|"
            r"unsafe|wrong)\b"
        ),
        (
            r"\b(?:no reason|nothing\b[^.!?]{0,15}?) (?:not to|to refuse|to decline|against (?:helping|answering|it|"
            r"that|a reply|an answer))\b"
        ),
    )
)
NOT_DECLINED = re.compile(
    r"(?:\bno (?:reason|need|cause) to|(?:\bnot|n't) (?:need|have) to|\bneed not|\bneedn't|\bnot) (?:refuse|"
    r"decline|reject)\b"
)
CONDITION = re.compile(r"\b(?:if|unless|whether|could|would have|might|perhaps|usually|normally|otherwise)\b")
PARTIAL = re.compile(r"\b(?:instead|only|in general|general|generally|danger|warn|why|safely|rather)\b")
SURE = 0.8
"""How sure the recogniser must be of a sentence that no pattern knows."""
TURN = re.compile(r"\b(?:but|however|yet|still|although|though)\b,?")


def own_words(thought: str) -> list[str]:
    """The sentences of a thought, in order, that do not state its verdict or its plan as they were asked for."""
    return [one for one in sentences(plain(thought)) if not (SAID.search(one) or PLANNED.search(one))]


def decision(thought: str) -> bool | None:
    """Whether the last sentence that decides anything decides to serve; where no pattern knows one, the sentence that
    the recogniser is surest of. None where none does."""
    for sentence in reversed(own_words(thought)):
        said = TURN.split(sentence)[-1]
        if CONDITION.search(said):
            continue
        if NOT_DECLINED.search(said):
            return True
        if any(pattern.search(said) for pattern in DECLINES):
            return False
        if not PARTIAL.search(said) and any(pattern.search(said) for pattern in SERVES):
            return True
    return _recognised(thought)


def _recognised(thought: str) -> bool | None:
    """What the sentence decides of which the recogniser is surest; None where it is sure of none."""
    surest, decides = SURE, None
    for sentence in own_words(thought):
        if CONDITION.search(sentence):
            continue
        for kind, serves in (("decides_to_refuse", False), ("decides_to_answer", True)):
            sure = trained().sure(kind, sentence)
            if sure >= surest and not (serves and PARTIAL.search(sentence)):
                surest, decides = sure, serves
    return decides
