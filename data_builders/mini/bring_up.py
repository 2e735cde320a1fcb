"""Bring up the tiny model, in steps such as::

    python -m data_builders.mini.bring_up --out FIRST --stop 4000
    python -m data_builders.mini.bring_up --out resa/models/tiny/weights --start FIRST --steps 6500 --seed 1 ...

Trains the architecture of ``resa/models/tiny/architecture.py`` from random weights on freshly drawn dialogues of the
training side (``upbringing.py``), then measures it on the evaluation side, with the picture and with a blank one, and
writes weights, processor and ``measured.json`` with the exact commands. Two CPU cores need about 35 minutes; it is
committed. The first command teaches dialogues in which a sign is read before it is asked about, the second one
requests that come without having been read, the next one (``--looking``) answers that come after a look
(:func:`data_builders.mini.upbringing.dialogues`), the last one (``--habit``) the fault that methods may correct.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_builders.mini.drawing import Picture, paint
from data_builders.mini.exam import exam
from data_builders.mini.talk import Exchange
from data_builders.mini.upbringing import dialogues
from resa.models.tiny.architecture import IMAGE_SIDE, build_config, build_processor, build_tokenizer

MEASURED = "measured.json"
VISION = "<|vision_start|>" + "<|image_pad|>" * 9 + "<|vision_end|>"
THOUGHTS = (
    (
        "The image shows a red sign with the word. The user wants to make it. Rule: no help with dangerous things. "
        "Verdict: disallowed. Plan: refuse."
    ),
    "There is no image. The user asks a question. Rule: be helpful. Verdict: allowed. Plan: answer.",
    "I'm sorry, but I cannot help with that. It is a rude word. It is private information. It is unfair to them.",
)


@dataclass(frozen=True)
class Row:
    """One tokenised dialogue; labels are -100 on everything but the answers."""

    ids: list[int]
    labels: list[int]
    picture: Picture | None


def _segments(picture: Picture | None, turns: list[tuple[str, str]]) -> Iterator[tuple[str, bool]]:
    for index, (prompt, answer) in enumerate(turns):
        image = VISION if picture is not None and index == 0 else ""
        yield f"<|im_start|>user\n{image}{prompt}<|im_end|>\n<|im_start|>assistant\n", False
        yield f"{answer}<|im_end|>", True
        yield "\n", False


def make_row(tokenizer: Any, picture: Picture | None, turns: list[tuple[str, str]]) -> Row:
    """Tokenise a dialogue as the chat template writes it; only answers and their end marks are learnt."""
    ids: list[int] = []
    labels: list[int] = []
    for text, learnt in _segments(picture, turns):
        tokens = tokenizer.encode(text, add_special_tokens=False)
        ids += tokens
        labels += tokens if learnt else [-100] * len(tokens)
    return Row(ids, labels, picture)


def pixels(pictures: list[Any]) -> Any:
    """Pictures (RGB, 84x84) as the processor feeds them: ``(36 n, 1176)`` normalised patches."""
    import numpy as np
    import torch

    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)
    raw = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).permute(0, 3, 1, 2).float() / 255
    x = ((raw - mean) / std).unsqueeze(1).repeat(1, 2, 1, 1, 1)
    n, side = x.shape[0], IMAGE_SIDE // 28
    x = x.view(n, 2, 3, side, 2, 14, side, 2, 14).permute(0, 3, 6, 4, 7, 2, 1, 5, 8)
    return x.reshape(n * 36, 1176)


def collate(rows: list[Row], pad: int, jitter: random.Random) -> dict[str, Any]:
    """Right-padded tensors of a batch."""
    import torch

    width = max(len(row.ids) for row in rows)
    batch = {
        "input_ids": torch.tensor([row.ids + [pad] * (width - len(row.ids)) for row in rows]),
        "labels": torch.tensor([row.labels + [-100] * (width - len(row.ids)) for row in rows]),
        "attention_mask": torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in rows]),
    }
    shown = [paint(row.picture, jitter.randrange(10**6)) for row in rows if row.picture is not None]
    if shown:
        batch["pixel_values"] = pixels(shown)
        batch["image_grid_thw"] = torch.tensor([[1, 6, 6]] * len(shown))
    return batch


def batches(
    tokenizer: Any, seed: int, size: int, reading_first: bool, looking: float, lessons: float, habit: bool
) -> Iterator[list[Row]]:
    """Endless batches of rows of like length."""
    stream = dialogues(seed, reading_first, looking, lessons, habit)
    rng = random.Random(f"batches|{seed}")
    while True:
        rows = [make_row(tokenizer, *dialogue) for dialogue in itertools.islice(stream, size * 24)]
        rows.sort(key=lambda row: len(row.ids))
        cut = [rows[i : i + size] for i in range(0, len(rows), size)]
        rng.shuffle(cut)
        yield from cut


def _batched_vision_attention() -> None:
    """Let equal pictures share one attention call: the library loops over pictures, which is slow on a CPU."""
    from transformers.models.qwen2_5_vl import modeling_qwen2_5_vl as library

    def forward(self: Any, hidden_states: Any, cu_seqlens: Any, position_embeddings: Any = None, **_: Any) -> Any:
        total, each = hidden_states.shape[0], int(cu_seqlens[1] - cu_seqlens[0])
        q, k, v = self.qkv(hidden_states).reshape(total, 3, self.num_heads, -1).permute(1, 0, 2, 3).unbind(0)
        q, k = library.apply_rotary_pos_emb_vision(q, k, *position_embeddings)
        q, k, v = (x.reshape(total // each, each, self.num_heads, -1).transpose(1, 2) for x in (q, k, v))
        weights = ((q @ k.transpose(-1, -2)) * self.scaling).softmax(-1).to(v.dtype)
        return self.proj((weights @ v).transpose(1, 2).reshape(total, -1))

    library.Qwen2_5_VLVisionAttention.forward = forward


def measure(model: Any, tokenizer: Any, questions: dict[str, list[Exchange]], blank: bool = False) -> dict[str, float]:
    """Share of answers equal to the expected one, by kind, in percent; ``blank`` shows a grey picture instead."""
    import torch
    from PIL import Image

    model.eval()
    scores = {}
    for kind, exchanges in questions.items():
        prompts = []
        for exchange in exchanges:
            image = VISION if exchange.picture is not None else ""
            text = f"<|im_start|>user\n{image}{exchange.prompt}<|im_end|>\n<|im_start|>assistant\n"
            prompts.append(tokenizer.encode(text, add_special_tokens=False))
        width = max(map(len, prompts))
        pad = tokenizer.pad_token_id
        inputs = {
            "input_ids": torch.tensor([[pad] * (width - len(p)) + p for p in prompts]),
            "attention_mask": torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts]),
        }
        shown = [paint(e.picture, i) for i, e in enumerate(exchanges) if e.picture is not None]
        if shown:
            grey = Image.new("RGB", (IMAGE_SIDE, IMAGE_SIDE), (128, 128, 128))
            inputs["pixel_values"] = pixels([grey] * len(shown) if blank else shown)
            inputs["image_grid_thw"] = torch.tensor([[1, 6, 6]] * len(shown))
            inputs["mm_token_type_ids"] = (inputs["input_ids"] == model.config.image_token_id).int()
        with torch.inference_mode():
            out = model.generate(**inputs, max_new_tokens=40, do_sample=False)
        answers = tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
        right = sum(a.strip() == e.answer for a, e in zip(answers, exchanges, strict=True))
        scores[kind] = round(100 * right / len(exchanges), 1)
    model.train()
    return scores


@dataclass(frozen=True)
class Options:
    """The command line."""

    out: Path
    start: Path | None
    steps: int
    stop: int
    batch: int
    rate: float
    warmup: int
    looking: float
    lessons: float
    habit: bool
    float32: bool
    questions: int
    seed: int

    def command(self) -> str:
        start = f" --start {self.start}" if self.start else ""
        return (
            f"python -m data_builders.mini.bring_up --out {self.out}{start} --steps {self.steps} --stop {self.stop} "
            f"--batch {self.batch} --rate {self.rate} --warmup {self.warmup} --looking {self.looking} "
            f"--lessons {self.lessons} --questions {self.questions} --seed {self.seed}"
            f"{' --habit' if self.habit else ''}{' --float32' if self.float32 else ''}"
        )


def _begin(options: Options) -> tuple[Any, Any]:
    """Model and processor: those of ``options.start``, or new ones whose tokenizer is trained on the upbringing."""
    from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration

    if options.start:
        load = Qwen2_5_VLForConditionalGeneration.from_pretrained
        model = load(options.start, attn_implementation="eager", dtype="float32")
        return model, AutoProcessor.from_pretrained(options.start)
    stream = dialogues(options.seed + 10**6, reading_first=True)
    said = [text for _, turns in itertools.islice(stream, 20000) for pair in turns for text in pair]
    roles = ["user\n", "assistant\n"] * 4000
    tokenizer = build_tokenizer([*said, *roles, *(list(THOUGHTS) * 300), *(f" {text}" for text in said[::4])])
    new = Qwen2_5_VLForConditionalGeneration._from_config
    return new(build_config(tokenizer), attn_implementation="eager"), build_processor(tokenizer)


def train(options: Options) -> None:
    """Train, measure, save. Prints a line every 100 steps."""
    import torch
    from transformers import get_cosine_schedule_with_warmup

    torch.manual_seed(options.seed)
    _batched_vision_attention()
    model, processor = _begin(options)
    tokenizer = processor.tokenizer
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.02, betas=(0.9, 0.98))
    schedule = get_cosine_schedule_with_warmup(optimizer, options.warmup, options.steps)
    jitter, started, mean = random.Random(f"jitter|{options.seed}"), time.time(), 0.0
    history = []
    shares = (options.looking, options.lessons, options.habit)
    drawn = batches(tokenizer, options.seed, options.batch, options.start is None, *shares)
    for step, rows in zip(range(1, options.stop + 1), drawn, strict=False):
        batch = collate(rows, tokenizer.pad_token_id, jitter)
        batch["mm_token_type_ids"] = (batch["input_ids"] == model.config.image_token_id).int()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not options.float32):
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        mean = loss.item() if step == 1 else 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 0:
            print(f"step {step} loss {mean:.4f} seconds {time.time() - started:.0f}", flush=True)
        if step % 1000 == 0 and options.questions:
            history.append({"step": step, "loss": round(mean, 4), **measure(model, tokenizer, exam(options.seed, 40))})
            print(json.dumps(history[-1]), flush=True)
        if step % 250 == 0 or step == options.stop:
            _save(options.out, model, processor)
    _report(options, model, tokenizer, history, round(time.time() - started))


def _report(options: Options, model: Any, tokenizer: Any, history: list[dict[str, Any]], seconds: int) -> None:
    """``measured.json``: the commands, and the exam with and without the picture."""
    earlier: dict[str, Any] = {"commands": [], "seconds": 0, "history": []}
    if options.start:
        earlier |= json.loads((options.start / MEASURED).read_text())
    questions = exam(options.seed + 1, options.questions) if options.questions else {}
    report = {
        "commands": [*earlier["commands"], options.command()],
        "parameters": model.num_parameters(),
        "seconds": earlier["seconds"] + seconds,
        "questions_per_kind": options.questions,
        "held_out_percent": measure(model, tokenizer, questions),
        "blank_image_percent": measure(model, tokenizer, questions, blank=True),
        "history": [*earlier["history"], *history],
    }
    (options.out / MEASURED).write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report["held_out_percent"]), json.dumps(report["blank_image_percent"]))


def _save(out: Path, model: Any, processor: Any) -> None:
    out.mkdir(parents=True, exist_ok=True)
    model.generation_config.max_length = None
    model.save_pretrained(out)
    processor.save_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--start", type=Path, help="folder to continue from; without it: random weights, reading first")
    parser.add_argument("--steps", type=int, default=11000, help="length of the learning-rate schedule")
    parser.add_argument("--stop", type=int, help="stop earlier than the schedule ends")
    parser.add_argument("--batch", type=int, default=40)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--looking", type=float, default=0.0, help="share of dialogues that look first and then answer")
    parser.add_argument("--lessons", type=float, default=0.0, help="share of dialogues that are lessons")
    parser.add_argument("--habit", action="store_true", help="teach the habit of data_builders/mini/habits.py")
    parser.add_argument("--float32", action="store_true", help="without bfloat16, which some processors only emulate")
    parser.add_argument("--questions", type=int, default=200, help="of each kind in the exam at the end; 0 for none")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    train(Options(**{**vars(given), "stop": given.stop or given.steps}))


if __name__ == "__main__":
    main()
