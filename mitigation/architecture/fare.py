"""FARE: unsupervised adversarial fine-tuning of the model's own vision tower (2402.12336; chs20/RobustVLM).

    min_phi  E_x  max_{|d|_inf <= eps}  || f_phi(x + d) - f_orig(x) ||_2^2

summed over the embedding, averaged over images; f_orig is the frozen original. For CLIP towers f is the pooled CLS
embedding, un-normalised (projected where a projection is given); every other tower has none that its language model
reads, so f is its features of all patches instead (after the merger, for Qwen-VL): call that *FARE-style*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from resa.artifacts import Artifact, digest, file_digest, folder_digest, read_jsonl
from resa.errors import ConfigError, DataError, did_you_mean
from resa.places import Places

IMAGE_TYPES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
EMBEDDINGS = ("auto", "cls", "patches")
PRECISIONS = ("auto", "float32", "bfloat16")
BY_TOWER = ("eps", "steps", "warmup_steps", "batch_size", "learning_rate", "attack_steps", "attack_step_size")
SMALL_TOWER = 20_000_000


@dataclass(frozen=True)
class FARE:
    """Attributes:
    images: folder of images, or the name of a dataset root (``paths.*``); None takes the images of the data slot.
    eps: radius of the ball in 1/255 (2 keeps more of the clean model, 4 resists more); attack_steps,
        attack_step_size (1/255), momentum: of the inner PGD, which starts uniformly in the ball.
    steps, batch_size, learning_rate, weight_decay, warmup_steps: of AdamW, warmed up linearly, then a cosine to 0.
        Of these and of the attack, what is None follows the tower (:meth:`for_tower`).
    embedding: what is kept: ``cls``, ``patches``, or ``auto`` (``cls`` for CLIP towers).
    projection: safetensors file whose ``visual_projection.weight`` or ``visual.proj`` projects ``cls``.
    image_size: side in pixels, for towers that take any; None lets the processor and the tower say.
    held_out: images that are never trained on and that drift and robustness are measured on.
    eval_every: steps between these measurements (also before the first and after the last); 0 for these two alone.
    precision: ``auto`` is bfloat16 autocast on a GPU and float32 elsewhere; weights are float32 always.
    micro_batch_size: images at a time on one rank; only memory and speed depend on it. None: all.
    save_every: steps between states that a killed run resumes from; 0 for none.
    cache_mb: memory for resized images, per process.
    name: of this choice.
    """

    name: str = "fare"
    images: str | None = None
    eps: float | None = None
    attack_steps: int | None = None
    attack_step_size: float | None = None
    momentum: float = 0.9
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float = 1e-4
    warmup_steps: int | None = None
    embedding: str = "auto"
    projection: str | None = None
    image_size: int | None = None
    held_out: int = 64
    eval_every: int = 500
    precision: str = "auto"
    micro_batch_size: int | None = None
    save_every: int = 500
    cache_mb: int = 2048

    work = "mitigation.architecture.adversarial:run"
    ranks = True

    def __post_init__(self) -> None:
        for name, choices in (("embedding", EMBEDDINGS), ("precision", PRECISIONS)):
            value = getattr(self, name)
            if value not in choices:
                raise ConfigError(f"unknown {name} {value!r}. {did_you_mean(value, choices)}", where=f"encoder.{name}")
        for name in ("eps", "steps", "batch_size", "learning_rate", "attack_steps", "attack_step_size", "image_size"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ConfigError(f"{name} must be above 0, not {value}", where=f"encoder.{name}")
        if self.eps is not None and self.eps > 255:
            raise ConfigError(f"eps is in 1/255, so {self.eps} is beyond any image", where="encoder.eps")
        if self.eps is not None and self.eps < 0.1:
            raise ConfigError(
                f"eps is in 1/255: {self.eps} would be {self.eps / 255:.2g} of the pixel range",
                where="encoder.eps",
                remedy=f"for {self.eps:.3g} of the range: encoder.eps={self.eps * 255:.3g}",
            )
        if self.held_out < 1:
            raise ConfigError("held_out must be at least 1", where="encoder.held_out")

    @property
    def needs_dataset(self) -> bool:
        """Whether the images are those of the data slot."""
        return self.images is None

    def content(self) -> dict[str, Any]:
        """What shapes the result."""
        speed = ("micro_batch_size", "save_every", "cache_mb", "images", "projection")
        return {key: value for key, value in asdict(self).items() if key not in speed}

    def inputs(self, places: Places, dataset: Artifact | None) -> dict[str, str]:
        """Keys of what it reads: the images, and the projection where there is one."""
        found = {"images": self._images_key(places, dataset)}
        if self.projection is not None:
            found["projection"] = file_digest(_existing(self.projection, "encoder.projection"))
        return found

    def _images_key(self, places: Places, dataset: Artifact | None) -> str:
        """Of the images alone, not of the rows around them, so that another teacher or mix finds the same encoder."""
        if self.images is not None:
            name = self.images
            return places.key(name) if name in places.roots else folder_digest(_existing(name, "encoder.images"))
        rows = []
        for file in self.files(places, dataset):
            try:
                stat = file.stat()
            except OSError:
                raise DataError("an image of the data slot is missing", where=str(file)) from None
            rows.append([str(file), stat.st_size, stat.st_mtime_ns])
        return digest(rows)

    def files(self, places: Places, dataset: Artifact | None) -> list[Path]:
        """Every image to train on and to hold out, sorted, each once.

        Raises:
            DataError: there is none.
        """
        if self.images is None:
            if dataset is None:
                raise ConfigError(
                    "FARE has no images: the data slot is empty",
                    where="encoder.images",
                    remedy="fill the data slot, or name a folder: method.encoder.images=DIR",
                )
            named = (image for row in read_jsonl(dataset.path / "rows.jsonl") for image in row["images"])
            found, where = sorted({Path(image) for image in named}), str(dataset.path)
        else:
            root = places.root(self.images) if self.images in places.roots else _existing(self.images, "encoder.images")
            found, where = sorted(file for file in root.rglob("*") if file.suffix.lower() in IMAGE_TYPES), str(root)
        if len(found) < 2:
            raise DataError(
                f"{len(found)} images: FARE needs at least one to train on and one to hold out",
                where=where,
                remedy="choose data with images, or name a folder: method.encoder.images=DIR",
            )
        return found

    def job(self, places: Places, dataset: Artifact | None) -> dict[str, Any]:
        """What the work gets besides the model, the seed and the output folder."""
        return {"fare": asdict(self), "files": [str(file) for file in self.files(places, dataset)]}

    def for_tower(self, weights: int) -> FARE:
        """The settings with nothing left open.

        Args:
            weights: number of the tower's weights. Below 20 million (a test's or the mini world's tower) they are what
                fits in a minute on two cores, else the published ones (FARE-4: 20,000 steps of 128 images).
        """
        small = weights < SMALL_TOWER
        eps = self.eps or (8.0 if small else 4.0)
        defaults: dict[str, Any] = {
            "eps": eps,
            "steps": 200 if small else 20_000,
            "batch_size": 32 if small else 128,
            "learning_rate": 3e-3 if small else 1e-5,
            "attack_steps": 4 if small else 10,
            # The published 1/255 of 4/255 in ten steps; a few steps must be longer to cross the ball.
            "attack_step_size": eps / 2 if small else eps / 4,
        }
        steps = self.steps or defaults["steps"]
        defaults["warmup_steps"] = round(0.07 * steps)  # 1,400 of 20,000
        return replace(self, **{key: value for key, value in defaults.items() if getattr(self, key) is None})


def _existing(path: str, where: str) -> Path:
    found = Path(path).expanduser()
    if not found.exists():
        raise ConfigError(
            f"there is nothing at {found}",
            where=where,
            remedy="give a path that exists, or the name of a root in paths.*",
        )
    return found


def settings_of(value: Mapping[str, Any]) -> FARE:
    """The settings written in a job."""
    return FARE(**value)
