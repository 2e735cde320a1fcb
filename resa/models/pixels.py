"""From [0, 1] pixels to what a vision tower is fed, differentiably, and back.

An L-inf ball is a statement about an image, so attacks and adversarial training must move the image and rebuild what
the processor makes of it: normalised channels (CLIP, SigLIP, InternViT ...), or flattened patches in which each pixel
occurs once for every frame of the temporal patch (Qwen-VL, GLM-4V). Perturbing those copies one by one gives no image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resa.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from resa.models.load import LoadedModel

FREE_SIDE = 224
"""Side, in pixels, of a batch for towers that take any size, rounded down to whole patches."""


@dataclass(frozen=True)
class Patches:
    """Layout of flattened patches: ``side`` x ``side`` pixels, ``frames`` copies of an image in each, the patches of a
    ``merge`` x ``merge`` block next to each other."""

    side: int
    frames: int
    merge: int


@dataclass(frozen=True)
class PixelSpace:
    """What a processor does to the pixels of a resized image, as a function and its inverse.

    Attributes:
        mean, std: of each channel, for pixels in [0, 1].
        height, width: of a batch, unless one of another size is given to a tower that takes it.
        patches: layout where the tower is fed flattened patches; None where it is fed (batch, 3, height, width).
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    height: int
    width: int
    patches: Patches | None = None

    def inputs(self, pixels: Tensor) -> dict[str, Tensor]:
        """Tensors for the tower, differentiable in ``pixels``, of the processor's names.

        Args:
            pixels: (batch, 3, height, width) in [0, 1]; sides are multiples of ``patches.side * patches.merge``.

        Returns:
            ``pixel_values``: (batch, 3, height, width), or flattened patches (batch * patches, 3 * frames * side^2)
            with ``image_grid_thw`` (batch, 3).
        """
        mean, std = (pixels.new_tensor(value).view(-1, 1, 1) for value in (self.mean, self.std))
        normal = (pixels - mean) / std
        if self.patches is None:
            return {"pixel_values": normal}
        import torch

        side, merge, frames = self.patches.side, self.patches.merge, self.patches.frames
        batch, channels, high, wide = normal.shape
        rows, columns = high // side, wide // side
        split = normal.reshape(batch, channels, rows // merge, merge, side, columns // merge, merge, side)
        split = split.permute(0, 2, 5, 3, 6, 1, 4, 7)  # batch, row, column, row and column in block, channel, y, x
        flat = split.unsqueeze(6).expand(*split.shape[:6], frames, side, side)
        grid = torch.tensor([[1, rows, columns]] * batch, device=pixels.device)
        return {"pixel_values": flat.reshape(batch * rows * columns, -1), "image_grid_thw": grid}

    def pixels(self, inputs: dict[str, Tensor]) -> Tensor:
        """The inverse of :meth:`inputs`: (batch, 3, height, width) in [0, 1]; of the copies in time, the first.

        Raises:
            ModelError: the flattened patches are of images of several sizes.
        """
        values = inputs["pixel_values"]
        if self.patches is not None:
            values = self._assemble(values, inputs["image_grid_thw"].tolist(), self.patches)
        mean, std = (values.new_tensor(value).view(-1, 1, 1) for value in (self.mean, self.std))
        return values * std + mean

    @staticmethod
    def _assemble(flat: Tensor, grids: list[list[int]], patches: Patches) -> Tensor:
        if any(grid != grids[0] for grid in grids):
            raise ModelError(
                f"images of several sizes in one batch: {grids}", remedy="invert them one by one, or resize them alike"
            )
        _, rows, columns = grids[0]
        side, merge = patches.side, patches.merge
        blocks = (rows // merge, columns // merge, merge, merge)
        split = flat.reshape(len(grids), *blocks, -1, patches.frames, side, side).select(6, 0)
        whole = split.permute(0, 5, 1, 3, 6, 2, 4, 7)
        return whole.reshape(len(grids), -1, rows * side, columns * side)

    def read(self, file: str | Path) -> Tensor:
        """An image file as uint8 (3, height, width): resized so that it covers the batch's size, and cropped in the
        middle, as CLIP's processor does.

        Raises:
            DataError: it is missing, truncated or no image.
        """
        import torch
        from torchvision.transforms.v2 import functional as transforms

        from resa.images import read_rgb

        image = transforms.pil_to_tensor(read_rgb(file))
        high, wide = image.shape[-2:]
        scale = max(self.height / high, self.width / wide)
        size = [max(self.height, round(high * scale)), max(self.width, round(wide * scale))]
        if size != [high, wide]:
            image = transforms.resize(image, size, transforms.InterpolationMode.BICUBIC, antialias=True)
        found: Tensor = transforms.center_crop(image, [self.height, self.width]).to(torch.uint8)
        return found


def pixel_space(loaded: LoadedModel, side: int | None = None) -> PixelSpace:
    """The pixel space of a loaded model, checked against its processor on a random image.

    Args:
        loaded: the model and its processor.
        side: height and width of a batch; None takes the tower's own, or where it takes any size 224 pixels, rounded
            down to whole patches and within the processor's bounds.

    Raises:
        ModelError: the tower takes another size only, or its processor does something else to pixels.
    """
    images = loaded.processor.image_processor
    mean, std = tuple(images.image_mean), tuple(images.image_std)
    if not getattr(images, "do_normalize", True):
        mean, std = (0.0,) * 3, (1.0,) * 3
    patches = _patch_layout(images)
    high, wide = _size(loaded, images, patches, side)
    space = PixelSpace(mean, std, high, wide, patches)
    _check(space, images)
    return space


def _patch_layout(images: Any) -> Patches | None:
    if "image_grid_thw" not in getattr(images, "model_input_names", ()):
        return None
    return Patches(images.patch_size, images.temporal_patch_size, images.merge_size)


def _size(loaded: LoadedModel, images: Any, patches: Patches | None, side: int | None) -> tuple[int, int]:
    vision = loaded.model.config.vision_config
    own = getattr(vision, "image_size", None)
    if patches is None and own is not None and vision.model_type != "pixtral":
        high, wide = (own, own) if isinstance(own, int) else tuple(own)
        if side not in (None, high) or side not in (None, wide):
            raise ModelError(
                f"this vision tower takes images of {high}x{wide} pixels, not of {side}",
                where=f"image_size={side}",
                remedy="leave image_size null",
            )
        return high, wide
    merge = patches.merge if patches else getattr(loaded.model.config, "spatial_merge_size", 1)
    unit = merge * (patches.side if patches else vision.patch_size)
    if side is None and patches:
        bounds = dict(images.size)
        lowest, highest = (int(bounds[edge] ** 0.5) for edge in ("shortest_edge", "longest_edge"))
        side = max(lowest, min(highest, FREE_SIDE)) // unit * unit
    elif side is None:
        side = FREE_SIDE // unit * unit
    if side < unit or side % unit:
        raise ModelError(
            f"images of {side} pixels are no whole number of patches",
            where=f"image_size={side}",
            remedy=f"choose a multiple of {unit}",
        )
    return side, side


def _check(space: PixelSpace, images: Any) -> None:
    """The processor's own answer for one random image of the batch's size. Processors that cut an image into tiles
    answer with several; the whole image at the tower's size is then one more tile, and only its values can be compared
    with nothing."""
    import torch

    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, space.height, space.width), generator=generator, dtype=torch.uint8)
    theirs = images(image, return_tensors="pt", do_resize=False)["pixel_values"]
    ours = space.inputs(image[None].float() / 255)["pixel_values"]
    if space.patches is None and theirs.shape != ours.shape:
        return
    if theirs.shape != ours.shape or (theirs - ours).abs().max() > 1e-3:
        raise ModelError(
            f"{type(images).__name__} feeds its tower in a way that is not known here",
            where="resa/models/pixels.py",
            remedy="describe its layout there; nothing that attacks pixels can run on this model until then",
        )


@dataclass(frozen=True)
class TowerFeatures:
    """Features of a vision tower as a function of [0, 1] pixels.

    Attributes:
        tower: the module.
        space: how it is fed.
        kind: ``patches``: what the projector reads, (batch, tokens, width), or what the language model reads where the
            tower ends in its own merger (Qwen-VL); ``cls``: CLIP's pooled embedding, (batch, width).
        layer: whose hidden states are read for ``patches`` (LLaVA: -2); None for the last output.
        skips_cls: whether the first token is left out of ``patches``.
        projection: (embedding, width) applied to ``cls``, as CLIP's ``visual_projection``; None where there is none.
    """

    tower: Any
    space: PixelSpace
    kind: str = "patches"
    layer: int | tuple[int, ...] | None = None
    skips_cls: bool = False
    projection: Tensor | None = None

    def __call__(self, pixels: Tensor) -> Tensor:
        """(batch, 3, height, width) in [0, 1] -> features, differentiable."""
        import torch

        fed = self.space.inputs(pixels)
        values = fed["pixel_values"].to(self.tower.dtype)
        batch = pixels.shape[0]
        if self.space.patches is not None:
            merged = self.tower(values, grid_thw=fed["image_grid_thw"]).pooler_output
            return merged.reshape(batch, -1, merged.shape[-1])
        if self.kind == "cls":
            pooled = self.tower(pixel_values=values).pooler_output
            return pooled if self.projection is None else pooled @ self.projection.to(pooled).T
        if self.layer is None:
            found = self.tower(pixel_values=values).last_hidden_state
        else:
            states = self.tower(pixel_values=values, output_hidden_states=True).hidden_states
            layers = (self.layer,) if isinstance(self.layer, int) else self.layer
            found = torch.cat([states[layer] for layer in layers], dim=-1)
        found = found.reshape(batch, -1, found.shape[-1])  # Pixtral returns the images of a batch behind one another
        return found[:, 1:] if self.skips_cls else found


def tower_features(
    loaded: LoadedModel, *, kind: str = "patches", side: int | None = None, projection: Tensor | None = None
) -> TowerFeatures:
    """The features of a loaded model's vision tower; see :class:`TowerFeatures`.

    Args:
        loaded: the model and its processor.
        kind: ``patches``, ``cls``, or ``auto``: ``cls`` for CLIP's towers and ``patches`` for all others.
        side: of a batch, see :func:`pixel_space`.
        projection: for ``cls``.

    Raises:
        ModelError: the tower has no CLS embedding, or cannot be fed.
    """
    from resa.models.anatomy import anatomy

    tower = loaded.model.get_submodule(anatomy(loaded.model).vision_tower)
    config = loaded.model.config
    is_clip = config.vision_config.model_type == "clip_vision_model"
    if kind == "cls" and not is_clip:
        raise ModelError(
            f"a {config.vision_config.model_type} tower has no CLS embedding",
            remedy="take its patch features: encoder.embedding=patches",
        )
    chosen = ("cls" if is_clip else "patches") if kind == "auto" else kind
    layer = getattr(config, "vision_feature_layer", None)
    skips = getattr(config, "vision_feature_select_strategy", "full") == "default"
    layers = None if layer is None or layer == -1 else layer if isinstance(layer, int) else tuple(layer)
    return TowerFeatures(tower, pixel_space(loaded, side), chosen, layers, skips, projection)
