"""The work of FARE: load the tower, train a copy of it against PGD, write it. Every rank calls :func:`run`.

The result does not depend on the number of ranks, beyond float addition: the batch of a step, and each image's start in
the ball, follow from seed and step alone, and a rank takes every n-th image of it.
"""

from __future__ import annotations

import contextlib
import copy
import json
import math
import random
import shutil
import time
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed

from mitigation.architecture.fare import FARE, settings_of
from mitigation.architecture.image_set import ImageSet
from mitigation.architecture.training_state import load_state, save_state
from resa.artifacts import CONTENTS, JsonLog, write_atomically
from resa.errors import ConfigError, ModelError, TrainingError
from resa.models.anatomy import anatomy
from resa.models.checkpoint import ENCODER_WEIGHTS
from resa.models.load import default_device, load_model, model_config
from resa.models.pgd import pgd
from resa.models.pixels import TowerFeatures, tower_features
from resa.models.spec import ModelSpec
from resa.progress import progress
from resa.ranks import barrier, is_main, local_rank, rank, world_size

LOG = "fare.jsonl"
MEASURED_ATTACK_STEPS = 10
LOG_LINES = 20


def run(job: dict[str, Any]) -> None:
    """Train ``job["model"]``'s tower on ``job["files"]`` as ``job["fare"]`` says; see :func:`make_encoder`.

    Raises:
        ModelError: the tower cannot be fed with images.
        DataError: there are too few readable images.
        TrainingError: the loss is not a number.
    """
    started = time.monotonic()
    _open_group()
    spec = ModelSpec.from_json(job["model"])
    open_settings = settings_of(job["fare"])
    features, path = _tower(spec, open_settings)
    fare = open_settings.for_tower(sum(parameter.numel() for parameter in features.tower.parameters()))
    images = ImageSet(job["files"], features.space, held_out=fare.held_out, seed=job["seed"], cache_mb=fare.cache_mb)
    training = AdversarialTraining(fare, features, images, job)
    measured = training.train()
    if is_main():
        training.save()
        said = {
            "tower": path,
            "embedding": features.kind + _how(features),
            "image_size": [features.space.height, features.space.width],
            "settings": fare.content(),
            "images": {
                "trained_on": len(images.train),
                "held_out": len(images.held_out),
                "unreadable": {"count": len(images.unreadable), "files": images.unreadable},
            },
            **measured,
            "world_size": world_size(),
            "seconds": round(time.monotonic() - started, 2),
        }
        write_atomically(Path(job["output_dir"]) / CONTENTS, json.dumps(said, indent=1))
    barrier("encoder saved")


def _open_group() -> None:
    if world_size() > 1 and not distributed.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(local_rank())
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def _tower(spec: ModelSpec, fare: FARE) -> tuple[TowerFeatures, str]:
    """The tower's features, in float32 on the device, and its path; the rest of the model is dropped."""
    dtype = getattr(model_config(spec), "dtype", None) or torch.float32
    loaded = load_model(spec, device="cpu", dtype=dtype)
    projection = _projection(fare.projection) if fare.projection else None
    features = tower_features(loaded, kind=fare.embedding, side=fare.image_size, projection=projection)
    if projection is not None and features.kind != "cls":
        raise ConfigError(
            "a projection is for the CLS embedding, which this tower does not have", where="encoder.projection"
        )
    tower = features.tower.float().to(default_device()).eval()
    try:
        with torch.no_grad():
            features(torch.zeros(1, 3, features.space.height, features.space.width, device=tower.device))
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(
            f"the vision tower {type(tower).__name__} cannot be fed with plain images: {error}",
            where=f"model.path={spec.path}",
            remedy="describe how it is fed in resa/models/pixels.py",
        ) from error
    _patches_by_matrix(tower)
    return replace(features, tower=tower), anatomy(loaded.model).vision_tower


def _patches_by_matrix(tower: Any) -> None:
    """Let a convolution whose kernel covers its whole input (Qwen-VL's patches) be the matrix product that it is: the
    gradient by pixels of the 3D convolution alone takes a third of a PGD step on a CPU."""

    def forward(self: Any, patches: Tensor) -> Tensor:
        if tuple(patches.shape[2:]) != tuple(self.kernel_size):
            return torch.nn.Conv3d.forward(self, patches)
        found = torch.nn.functional.linear(patches.flatten(1), self.weight.flatten(1), self.bias)
        return found[:, :, None, None, None]

    for module in tower.modules():
        if isinstance(module, torch.nn.Conv3d) and not any(module.padding):
            module.forward = types.MethodType(forward, module)


def _projection(file: str) -> Tensor:
    """(embedding, width)."""
    from safetensors.torch import load_file

    found = load_file(file)
    if "visual_projection.weight" in found:
        return found["visual_projection.weight"].float()
    if "visual.proj" in found:
        return found["visual.proj"].float().T
    raise ModelError("neither visual_projection.weight nor visual.proj is in it", where=file)


def _how(features: TowerFeatures) -> str:
    if features.kind != "cls":
        return ": FARE-style"
    return ", not projected" if features.projection is None else ", projected"


class AdversarialTraining:
    """A copy of a tower that learns to keep the original's embedding of a clean image under attack."""

    def __init__(self, fare: FARE, features: TowerFeatures, images: ImageSet, job: dict[str, Any]) -> None:
        if fare.batch_size is None or fare.batch_size < world_size():
            raise TrainingError(
                f"a batch of {fare.batch_size} images for {world_size()} ranks",
                where="encoder.batch_size",
                remedy="raise encoder.batch_size, or start fewer processes",
            )
        self.fare, self.images, self.seed, self.key = fare, images, int(job["seed"]), str(job["key"])
        self.folder, self.shown = Path(job["output_dir"]), bool(job["progress"]) and is_main()
        self.device = features.tower.device
        self.now = replace(features, tower=features.tower.requires_grad_(True))
        self.original = replace(features, tower=copy.deepcopy(features.tower).eval().requires_grad_(False))
        self.optimizer = torch.optim.AdamW(
            self.now.tower.parameters(), lr=fare.learning_rate or 0.0, weight_decay=fare.weight_decay
        )
        self.states = self.folder / ".work"

    def train(self) -> dict[str, Any]:
        """All steps; returns what was measured on the held-out images before and after."""
        total, every = self.fare.steps or 0, self.fare.eval_every
        first = load_state(self.states, self.key, self.now.tower, self.optimizer)
        log = JsonLog(self.folder / LOG, ("step", "split")) if is_main() else None
        lines: list[dict[str, Any]] = []
        if first == 0:
            self._note(log, [self.measure(0)])
        with progress("robust encoder", total, shown=self.shown) as advance:
            advance(first)
            for step in range(first, total):
                lines.append(self._step(step))
                done = step + 1
                if (every and done % every == 0) or done == total:
                    lines.append(self.measure(done))
                saves = bool(self.fare.save_every) and done % self.fare.save_every == 0
                if len(lines) >= LOG_LINES or saves or done == total:
                    self._note(log, lines)
                    lines = []
                if saves:
                    save_state(self.states, self.key, done, self.now.tower, self.optimizer)
                advance(1)
        barrier("encoder trained")
        if log is None:
            return {}
        rows = {row["step"]: row for row in log.rows() if row["split"] == "held_out"}
        kept = {step: {k: v for k, v in row.items() if k not in ("step", "split")} for step, row in rows.items()}
        return {"before": kept[0], "after": kept[total]}

    @staticmethod
    def _note(log: JsonLog | None, lines: list[dict[str, Any]]) -> None:
        if log is not None:
            log.append(lines)

    def _step(self, step: int) -> dict[str, Any]:
        """One update: attack the batch with the tower at rest, then move the tower on what came of it."""
        batch = self.images.batch(step, self.fare.batch_size or 1, self.seed)
        rate = self._rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        loss = torch.zeros((), device=self.device)
        for clean, start in self._mine(batch, f"{self.seed}|{step}"):
            target = self._target(clean)
            attacked = self._attack(clean, target, start, self.fare.attack_steps or 1)
            self.now.tower.train()
            share = self._distance(attacked, target).sum() / len(batch)
            share.backward()
            loss += share.detach()
        self._add_up(loss)
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"the loss is {loss.item()} at step {step + 1}",
                where=str(self.folder / LOG),
                remedy="lower encoder.learning_rate",
            )
        self.optimizer.step()
        return {"step": step + 1, "split": "train", "loss": loss.item(), "learning_rate": rate}

    def _mine(self, files: list[str], draw: str) -> Iterator[tuple[Tensor, Tensor]]:
        """This rank's images and their starts in the ball, a micro-batch at a time."""
        places = range(rank(), len(files), world_size())
        size = self.fare.micro_batch_size or max(1, len(places))
        for first in range(0, len(places), size):
            chosen = places[first : first + size]
            clean = self.images.load([files[place] for place in chosen])
            starts = torch.stack([self._start(f"{draw}|{place}", clean.shape[1:]) for place in chosen])
            yield clean.to(self.device), starts.to(self.device)

    def _start(self, draw: str, shape: torch.Size) -> Tensor:
        """Uniform in the ball; drawn on the CPU, so that it is the same on any device and any number of ranks."""
        generator = torch.Generator().manual_seed(random.Random(draw).getrandbits(63))
        return (2 * torch.rand(shape, generator=generator) - 1) * self._eps

    @property
    def _eps(self) -> float:
        return (self.fare.eps or 0.0) / 255

    @contextlib.contextmanager
    def _precision(self) -> Iterator[None]:
        half = self.fare.precision == "bfloat16" or (self.fare.precision == "auto" and self.device.type == "cuda")
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half):
            yield

    def _target(self, clean: Tensor) -> Tensor:
        with torch.no_grad(), self._precision():
            return self.original(clean).float()

    def _distance(self, pixels: Tensor, target: Tensor) -> Tensor:
        """(batch,): squared L2 distance, summed over the whole embedding."""
        with self._precision():
            found = self.now(pixels)
        return (found.float() - target).flatten(1).pow(2).sum(1)

    def _attack(self, clean: Tensor, target: Tensor, start: Tensor, steps: int) -> Tensor:
        tower = self.now.tower.eval()
        moving = [parameter for parameter in tower.parameters() if parameter.requires_grad]
        for parameter in moving:  # no activations are kept for gradients of weights
            parameter.requires_grad_(False)
        attacked = pgd(
            lambda pixels: self._distance(pixels, target).sum(),
            clean,
            self._eps,
            (self.fare.attack_step_size or 0.0) / 255,
            steps,
            momentum=self.fare.momentum,
            start=start,
        )
        for parameter in moving:
            parameter.requires_grad_(True)
        return attacked

    def _add_up(self, loss: Tensor) -> None:
        """Sum gradients and loss over the ranks; each has divided by the whole batch already."""
        if world_size() == 1:
            return
        gradients = [parameter.grad for parameter in self.now.tower.parameters() if parameter.grad is not None]
        handles = [distributed.all_reduce(value, async_op=True) for value in (*gradients, loss)]
        for handle in handles:
            handle.wait()

    def _rate(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to 0."""
        top, warmup, total = self.fare.learning_rate or 0.0, self.fare.warmup_steps or 0, self.fare.steps or 1
        if step < warmup:
            return top * (step + 1) / warmup
        return top * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))

    def measure(self, step: int) -> dict[str, Any]:
        """On the held-out images, from the original's embedding of the clean image: squared distance (mean) and cosine
        of the present tower's embedding of the clean image (``clean_drift``, ``clean_cosine``) and of the image under
        PGD against the present tower (``robust_distance``, ``robust_cosine``); ``clean_norm``: mean squared length."""
        names = ("clean_drift", "clean_cosine", "robust_distance", "robust_cosine", "clean_norm")
        sums = torch.zeros(len(names), dtype=torch.float64, device=self.device)
        steps = max(MEASURED_ATTACK_STEPS, self.fare.attack_steps or 0)
        for clean, start in self._mine(self.images.held_out, f"held out|{self.seed}"):
            target = self._target(clean)
            attacked = self._attack(clean, target, start, steps)
            with torch.no_grad(), self._precision():
                self.now.tower.eval()
                seen, fooled = self.now(clean).float(), self.now(attacked).float()
            values = (*_apart(seen, target), *_apart(fooled, target), target.flatten(1).pow(2).sum(1))
            sums += torch.stack([value.double().sum() for value in values])
        if world_size() > 1:
            distributed.all_reduce(sums)
        means = (sums / len(self.images.held_out)).tolist()
        return {"step": step, "split": "held_out", **dict(zip(names, means, strict=True))}

    def save(self) -> None:
        """The tower's whole state dict, float32."""
        from safetensors.torch import save_file

        state = {name: value.detach().cpu().contiguous() for name, value in self.now.tower.state_dict().items()}
        save_file(state, str(self.folder / ENCODER_WEIGHTS))
        shutil.rmtree(self.states, ignore_errors=True)


def _apart(found: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Of each image: squared distance over the whole embedding, and cosine (mean over patches)."""
    distance = (found - target).flatten(1).pow(2).sum(1)
    cosine = torch.nn.functional.cosine_similarity(found, target, dim=-1)
    return distance, cosine if cosine.dim() == 1 else cosine.mean(1)
