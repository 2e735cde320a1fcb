"""Train the recogniser, and say how well it knows the sentences of an author whom it was not trained on.

    python -m data_builders.recogniser.train          # writes weights.safetensors, in half a minute
    python -m data_builders.recogniser.train --check  # only the table: each author left out in turn

Each file of ``sentences/`` is one author's: JSON Lines with ``kind`` and ``text``. The table is what thresholds go by
(``sure`` in ``conf/filter/leaks.yaml``, ``SURE`` in ``refusals.py`` and ``decisions.py``).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_builders.recogniser.model import KINDS, SIZE, WEIGHTS, features

SENTENCES = Path(__file__).parent / "sentences"
OTHERS = {
    "leak": ("ordinary", "refusal", "serving", "decides_to_refuse", "decides_to_answer", "undecided"),
    "refusal": ("serving", "ordinary", "undecided"),
    "decides_to_refuse": ("decides_to_answer", "undecided", "ordinary"),
    "decides_to_answer": ("decides_to_refuse", "undecided", "ordinary"),
}
"""Kind -> what it is told from. A leak may decide as well, and a refusal may be a decision: these are left out."""
STRENGTH = 100.0
"""Inverse regularisation."""


@dataclass(frozen=True)
class Said:
    """One sentence."""

    author: str
    kind: str
    text: str


def read(folder: Path = SENTENCES) -> list[Said]:
    """All authors' sentences."""
    return [
        Said(file.stem, line["kind"], line["text"])
        for file in sorted(folder.glob("*.jsonl"))
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines())
    ]


def matrix(texts: Sequence[str]) -> Any:
    """Rows of unit length, one a text: scipy CSR of shape ``(texts, SIZE)``."""
    import numpy as np
    from scipy.sparse import csr_matrix

    found = [features(text) for text in texts]
    ends = np.cumsum([0, *map(len, found)])
    values = np.concatenate([np.full(len(each), 1 / max(1, len(each)) ** 0.5, dtype=np.float32) for each in found])
    return csr_matrix((values, np.concatenate([np.array(each) for each in found]), ends), shape=(len(texts), SIZE))


def fit(kind: str, said: Sequence[Said]) -> tuple[Any, float]:
    """One kind's weights and bias."""
    from sklearn.linear_model import LogisticRegression

    used = [one for one in said if one.kind == kind or one.kind in OTHERS[kind]]
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
    model.fit(matrix([one.text for one in used]), [one.kind == kind for one in used])
    return model.coef_[0], float(model.intercept_[0])


def left_out(kind: str, said: Sequence[Said]) -> tuple[Any, Any]:
    """Scores of sentences whose author the model had not seen: (of the kind, of the others)."""
    import numpy as np

    scores: dict[bool, list[Any]] = {True: [], False: []}
    for author in sorted({one.author for one in said}):
        weights, bias = fit(kind, [one for one in said if one.author != author])
        for mine in (True, False):
            texts = [
                one.text
                for one in said
                if one.author == author and (one.kind == kind if mine else one.kind in OTHERS[kind])
            ]
            if texts:
                scores[mine].append(matrix(texts) @ weights + bias)
    return np.concatenate(scores[True]), np.concatenate(scores[False])


def table(said: Sequence[Said]) -> str:
    """How much of a kind is found where so much else is taken for it, and from which sureness on."""
    import numpy as np

    lines = ["| kind | taken for it of the others | found | sure from |", "|---|---|---|---|"]
    for kind in KINDS:
        own, others = left_out(kind, said)
        for share in (0.001, 0.002, 0.005, 0.01, 0.02):
            from_ = np.quantile(others, 1 - share)
            lines.append(f"| {kind} | {share:.1%} | {np.mean(own > from_):.1%} | {1 / (1 + np.exp(-from_)):.3f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    said = read()
    print(table(said))
    if given.check:
        return
    import numpy as np
    from safetensors.numpy import save_file

    fitted = {kind: fit(kind, said) for kind in KINDS}
    stored = {kind: weights.astype(np.float16) for kind, (weights, _) in fitted.items()}
    save_file({**stored, "bias": np.array([bias for _, bias in fitted.values()], dtype=np.float32)}, WEIGHTS)
    print(f"written: {WEIGHTS}")


if __name__ == "__main__":
    main()
