"""The pixel space is what the installed processors make of an image, and a ball in it is a ball of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from resa.errors import ModelError
from resa.models.load import LoadedModel, load_model
from resa.models.pgd import pgd
from resa.models.pixels import PixelSpace, pixel_space, tower_features
from resa.models.spec import ModelSpec


@pytest.fixture(scope="module", params=["tiny_qwen", "tiny_llava"])
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    folder: Path = request.getfixturevalue(request.param)
    return load_model(ModelSpec(path=str(folder)), device="cpu")


def images(count: int = 2, side: int = 84) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, side, side), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_inputs_equal_the_processors_output(loaded: LoadedModel) -> None:
    space = pixel_space(loaded, 84)
    theirs = loaded.processor.image_processor(list(images()), return_tensors="pt")
    ours = space.inputs(images().float() / 255)
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        assert torch.allclose(ours[name].float(), value.float(), atol=1e-5)


def test_pixels_come_back(loaded: LoadedModel) -> None:
    space = pixel_space(loaded, 84)
    theirs = loaded.processor.image_processor(list(images()), return_tensors="pt")
    assert torch.allclose(space.pixels(dict(theirs)), images().float() / 255, atol=1e-5)


def test_an_attack_in_pixel_space_reaches_the_model_through_its_processor(loaded: LoadedModel) -> None:
    """Rounded to 8 bits and prepared by the processor, the attacked image still moves the features it was made for."""
    features = tower_features(loaded, side=84)
    clean = images(1).float() / 255
    with torch.no_grad():
        own = features(clean)
    start = torch.full_like(clean, 1 / 255)
    attacked = pgd(lambda x: (features(x) - own).pow(2).sum(), clean, 8 / 255, 2 / 255, 5, start=start)
    stored = (attacked * 255).round().to(torch.uint8)
    assert (stored.int() - images(1).int()).abs().max() <= 8
    inputs = loaded.processor.image_processor(list(stored), return_tensors="pt")
    with torch.no_grad():
        moved = (features(features.space.pixels(dict(inputs))) - own).pow(2).sum()
        noise = (features(clean + start) - own).pow(2).sum()
    assert moved > 10 * noise


def test_patch_features_are_what_the_language_model_is_given(loaded: LoadedModel) -> None:
    """After the projector, where that is outside the tower."""
    features = tower_features(loaded, side=84)
    with torch.no_grad():
        found = features(images().float() / 255)
        given = loaded.model.model.get_image_features(**features.space.inputs(images().float() / 255)).pooler_output
        projector = getattr(loaded.model.model, "multi_modal_projector", lambda value: value)
        assert torch.allclose(projector(found), torch.stack(list(given)), atol=1e-5)


def test_a_file_is_covered_and_cropped(loaded: LoadedModel, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (300, 100), (255, 0, 0)).save(tmp_path / "wide.png")
    found = pixel_space(loaded, 84).read(tmp_path / "wide.png")
    assert found.shape == (3, 84, 84)
    assert found.dtype == torch.uint8
    assert found[0].min() == 255


def test_the_size_of_a_batch(tiny_qwen: Path, tiny_llava: Path) -> None:
    free, fixed = (load_model(ModelSpec(path=str(path)), device="cpu") for path in (tiny_qwen, tiny_llava))
    assert pixel_space(free).height == 224
    assert pixel_space(fixed).height == 84
    with pytest.raises(ModelError, match="multiple of 28"):
        pixel_space(free, 100)
    with pytest.raises(ModelError, match="84x84"):
        pixel_space(fixed, 224)
    with pytest.raises(ModelError, match="no CLS"):
        tower_features(free, kind="cls")


def test_a_processor_that_does_something_else_is_refused(tiny_llava: Path) -> None:
    loaded = load_model(ModelSpec(path=str(tiny_llava)), device="cpu")

    @dataclass
    class Inverting:
        own: Any

        def __getattr__(self, name: str) -> Any:
            return getattr(self.own, name)

        def __call__(self, image: Any, **options: Any) -> Any:
            return {"pixel_values": -self.own(image, **options)["pixel_values"]}

    loaded.processor.image_processor = Inverting(loaded.processor.image_processor)
    with pytest.raises(ModelError, match="not known here"):
        pixel_space(loaded)


def test_images_of_several_sizes_cannot_be_one_batch(tiny_qwen: Path) -> None:
    loaded = load_model(ModelSpec(path=str(tiny_qwen)), device="cpu")
    mixed = loaded.processor.image_processor([images(1, 56)[0], images(1, 84)[0]], return_tensors="pt")
    with pytest.raises(ModelError, match="several sizes"):
        pixel_space(loaded).pixels(dict(mixed))


def test_without_normalisation_pixels_are_fed_as_they_are() -> None:
    space = PixelSpace((0.0,) * 3, (1.0,) * 3, 8, 8)
    pixels = torch.rand(1, 3, 8, 8)
    assert torch.equal(space.inputs(pixels)["pixel_values"], pixels)
