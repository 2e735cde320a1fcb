"""Encoded rows to a batch: padding, labels, and the images' tensors, each image prepared once and kept.

TRL's collator renders the template, tokenizes and prepares every image anew at every step; on small models and on CPUs
that costs more than the step itself (benchmarks/training_overhead.py).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from resa.errors import ModelError
from resa.images import read_rgb
from resa.models.chat import prompt_inputs
from resa.training.encode import IGNORED, per_token
from resa.types import Turn

Tensors = dict[str, torch.Tensor]


class Collator:
    """Rows of :func:`resa.training.encode.encode_rows` to the model's inputs.

    Args:
        processor: the model's.
        cache_bytes: memory for prepared images; the least recently used go first.
    """

    def __init__(self, processor: Any, cache_bytes: int = 512 << 20) -> None:
        self.images = PreparedImages(processor, cache_bytes)
        self.pad_id = int(processor.tokenizer.pad_token_id)

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> Tensors:
        """``input_ids``, ``attention_mask`` and ``labels`` of shape (rows, longest), padded on the right, further
        per-token inputs, and the image tensors of all rows in order (absent where no row has an image)."""
        longest = max(len(row["input_ids"]) for row in rows)
        types = [json.loads(row["types"]) for row in rows]
        batch: Tensors = {
            "input_ids": torch.full((len(rows), longest), self.pad_id),
            "attention_mask": torch.zeros((len(rows), longest), dtype=torch.long),
            "labels": torch.full((len(rows), longest), IGNORED),
        }
        for name in sorted({name for given in types for name in given}):
            batch[name] = torch.zeros((len(rows), longest), dtype=torch.long)
        for place, row in enumerate(rows):
            ids, prompt = torch.tensor(row["input_ids"], dtype=torch.long), row["prompt_length"]
            batch["input_ids"][place, : len(ids)] = ids
            batch["attention_mask"][place, : len(ids)] = 1
            batch["labels"][place, prompt : len(ids)] = ids[prompt:]
            for name, values in types[place].items():
                batch[name][place, :prompt] = torch.tensor(values)
        return {**batch, **self.images.of([file for row in rows for file in row["images"]])}


class PreparedImages:
    """The image processor's output by file."""

    def __init__(self, processor: Any, cache_bytes: int) -> None:
        self.processor, self.cache_bytes = processor.image_processor, cache_bytes
        self._held: OrderedDict[str, Tensors] = OrderedDict()
        self._bytes = 0

    def of(self, files: Sequence[str]) -> Tensors:
        """The tensors of several images, one after the other along the first dimension; empty without images.

        Raises:
            DataError: an image cannot be read.
        """
        if not files:
            return {}
        each = [self._one(file) for file in files]
        first = each[0]
        alike = all(value[name].shape[1:] == first[name].shape[1:] for value in each for name in first)
        if alike:
            return {name: torch.cat([value[name] for value in each]) for name in first}
        return self._prepare(files)

    def _one(self, file: str) -> Tensors:
        if file in self._held:
            self._held.move_to_end(file)
            return self._held[file]
        value = self._prepare([file])
        self._held[file] = value
        self._bytes += _size(value)
        while self._bytes > self.cache_bytes and len(self._held) > 1:
            self._bytes -= _size(self._held.popitem(last=False)[1])
        return value

    def _prepare(self, files: Sequence[str]) -> Tensors:
        found = self.processor(images=[read_rgb(file) for file in files], return_tensors="pt")
        return {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}


def _size(value: Tensors) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in value.values())


def check_images_apart(processor: Any, file: str) -> None:
    """That preparing an image apart from its text gives what the whole processor gives.

    Raises:
        ModelError: it does not, so that cached images would train another model than the one that answers.
    """
    whole = prompt_inputs(processor, [(Turn("user", "", (file,)),)], read_rgb)
    texts = {"input_ids", "attention_mask", *per_token(whole)}
    wanted = {name: value for name, value in whole.items() if name not in texts}
    apart = PreparedImages(processor, 0).of([file])
    same = set(wanted) <= set(apart) and all(torch.equal(apart[name], wanted[name]) for name in wanted)
    if not same:
        raise ModelError(
            "this processor prepares an image in another way with text than without",
            where=f"{type(processor).__name__}: {sorted(wanted)} against {sorted(apart)}",
            remedy="train with another architecture, or teach resa/training/collate.py this processor",
        )
