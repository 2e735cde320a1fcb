"""What a trainer's step costs over the bare loop: forward, backward, clip, AdamW on batches that lie ready.

    python -m benchmarks.training_overhead --model builtin:tiny --steps 30

Three loops over the same rows (half with an 84x84 image, about 100 tokens each), in turn, so that a busy machine
disturbs all alike: ``bare``; ``resa`` (this project's trainer and collator); ``trl`` (TRL's own, as it comes, which
renders, tokenizes and prepares images anew at every step). Prints one line of JSON with the median seconds a step and
the ratios to ``bare``, by the wall clock and by processor time (which a busy machine changes less).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Seconds = tuple[float, float]
WORDS = "the sign in this image reads stop and the small red circle lies left of the blue square"


def write_rows(folder: Path, count: int) -> list[dict[str, Any]]:
    """Rows of a dataset artifact, with their images."""
    from PIL import Image, ImageDraw

    rows, words = [], WORDS.split()
    for number in range(count):
        images = []
        if number % 2 == 0:
            image = Image.new("RGB", (84, 84), "white")
            ImageDraw.Draw(image).rectangle([number % 40, 10, number % 40 + 30, 60], fill=(7 * number % 255, 80, 160))
            images = [str(folder / f"{number}.png")]
            image.save(images[0])
        text = " ".join(words[(number + place) % len(words)] for place in range(24))
        turn = {"role": "user", "text": f"what is this? {text[:60]}", "images": images}
        rows.append({"id": str(number), "prompt": [turn], "completion": f"<think>{text}</think>\n{text[:80]}"})
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


def now() -> Seconds:
    """Seconds of the wall clock, and of processor time over all threads of this process."""
    return time.perf_counter(), time.process_time()


def since(started: Seconds) -> Seconds:
    wall, processor = now()
    return wall - started[0], processor - started[1]


class Bench:
    """The three loops, each as an iterator over its steps' seconds."""

    def __init__(self, model: str, batch: int, steps: int, folder: Path) -> None:
        from resa.models.load import load_processor
        from resa.models.spec import ModelSpec
        from resa.training.encode import Encoder, encode_rows
        from resa.training.run import end_ids
        from resa.training.spec import TrainingSpec

        self.spec, self.folder, self.steps = ModelSpec(path=model), folder, steps
        self.training = TrainingSpec(
            language_model="full",
            batch_size=batch,
            micro_batch_size=batch,
            workers=0,
            max_steps=steps,
            save_every=0,
            gradient_checkpointing=False,
            learning_rate=1e-5,
        )
        self.rows = write_rows(folder, 8 * batch)
        self.processor = load_processor(self.spec)
        encoder = Encoder(self.processor, end_ids(self.spec))
        self.encoded = encode_rows(folder, folder / "work", encoder, "bench")

    def model(self) -> Any:
        from resa.training.run import _trainable_model

        return _trainable_model(self.spec, None, self.training, sharded=False)

    def bare(self) -> Iterator[Seconds]:
        import torch

        from resa.training.collate import Collator
        from resa.training.order import FixedOrder

        model, size = self.model(), self.training.batch_size
        collate = Collator(self.processor)
        order = list(FixedOrder(len(self.encoded), self.steps * size, 0))
        batches = [collate([self.encoded[i] for i in order[at : at + size]]) for at in range(0, len(order), size)]
        weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=1e-5)
        model.train()
        for batch in batches:
            started = now()
            model(**batch, use_cache=False).loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            yield since(started)

    def resa(self) -> Iterator[Seconds]:
        from mitigation.training.sft import SFT
        from resa.training.objective import Parts, Prepared
        from resa.training.trainer import common_arguments

        objective = SFT()
        settings = common_arguments(self.training, self.folder / "resa", steps=self.steps, seed=0, deepspeed=None)
        parts = Parts(self.model(), self.processor, Prepared(self.encoded), self.training, 0)
        return stepwise(objective.trainer(objective.arguments(settings), parts))

    def trl(self) -> Iterator[Seconds]:
        from datasets import Dataset, Features, Image, List, Value
        from trl import SFTConfig, SFTTrainer

        from resa.training.trainer import common_arguments

        turn = List({"role": Value("string"), "content": Value("string")})
        rows = [
            {
                "prompt": [{"role": "user", "content": row["prompt"][0]["text"]}],
                "completion": [{"role": "assistant", "content": row["completion"]}],
                "images": row["prompt"][0]["images"],
            }
            for row in self.rows
        ]
        features = Features({"prompt": turn, "completion": turn, "images": List(Image())})
        settings = common_arguments(self.training, self.folder / "trl", steps=self.steps, seed=0, deepspeed=None)
        arguments = SFTConfig(**{**settings, "max_length": None})
        rows = Dataset.from_list(rows, features=features)
        return stepwise(
            SFTTrainer(model=self.model(), args=arguments, train_dataset=rows, processing_class=self.processor)
        )


def stepwise(trainer: Any) -> Iterator[Seconds]:
    """Train in a thread that stops after each step, and yield the seconds from one step's end to the next's."""
    import threading

    from transformers import TrainerCallback

    go, done = threading.Semaphore(0), threading.Semaphore(0)

    class Gate(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            done.release()
            go.acquire()

    trainer.add_callback(Gate())
    thread = threading.Thread(target=trainer.train, daemon=True)
    steps = trainer.args.max_steps
    started = now()
    thread.start()
    for step in range(steps):
        done.acquire()
        yield since(started)
        started = now()
        go.release()
        if step == steps - 1:
            thread.join()


def measure(bench: Bench) -> dict[str, Any]:
    """Median seconds a step of each loop, step by step in turn; the first two steps of each are left out."""
    makers: dict[str, Callable[[], Iterator[Seconds]]] = {"bare": bench.bare, "resa": bench.resa, "trl": bench.trl}
    loops = {name: make() for name, make in makers.items()}
    seconds: dict[str, list[Seconds]] = {name: [] for name in loops}
    for _ in range(bench.steps):
        for name, loop in loops.items():
            seconds[name].append(next(loop))
    for loop in loops.values():
        next(loop, None)
    found: dict[str, Any] = {}
    for place, clock in enumerate(("wall", "processor")):
        median = {name: statistics.median(value[place] for value in values[2:]) for name, values in seconds.items()}
        ratios = {f"{name}_over_bare": round(median[name] / median["bare"], 3) for name in ("resa", "trl")}
        found[clock] = {**{name: round(value, 4) for name, value in median.items()}, **ratios}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="builtin:tiny")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Bench(given.model, given.batch, given.steps, Path(folder)))
    json.dump({"model": given.model, "batch": given.batch, "steps": given.steps, **found}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
