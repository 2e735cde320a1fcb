"""Whatever training leaves is loaded again to the same logits; whatever is no model says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from resa.errors import ModelError
from resa.method import Method, empty_method
from resa.models.spec import ModelSpec


def logits(model: Any, processor: Any) -> Any:
    import torch

    inputs = processor.tokenizer(["what is a fox?"], return_tensors="pt")
    inputs.pop("token_type_ids", None)
    with torch.no_grad():
        return model.eval()(**inputs).logits


def load(path: Path) -> Any:
    from resa.models.load import load_model

    return load_model(ModelSpec(path=str(path)), device="cpu")


def changed_encoder(loaded: Any, folder: Path) -> Path:
    """An encoder artifact: the model's own tower, plus one."""
    from safetensors.torch import save_file

    from resa.models.anatomy import anatomy

    tower = loaded.model.get_submodule(anatomy(loaded.model).vision_tower)
    folder.mkdir()
    save_file({name: value + 1 for name, value in tower.state_dict().items()}, folder / "encoder.safetensors")
    return folder


def tower(model: Any) -> dict[str, Any]:
    from resa.models.anatomy import anatomy

    return dict(model.get_submodule(anatomy(model).vision_tower).state_dict())


@pytest.mark.parametrize("name", ["tiny_qwen", "tiny_llava"])
def test_adapter_and_encoder_come_back(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    import torch
    from peft import get_peft_model

    from resa.models.checkpoint import install_encoder, save_checkpoint
    from resa.training.freezing import lora_config
    from resa.training.spec import TrainingSpec

    folder = request.getfixturevalue(name)
    loaded = load(folder)
    encoder = changed_encoder(loaded, tmp_path / "encoder")
    install_encoder(loaded.model, encoder)
    model = get_peft_model(loaded.model, lora_config(loaded.model, TrainingSpec(lora_rank=4)))
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    wanted = logits(model, loaded.processor)
    out = tmp_path / "checkpoint"
    save_checkpoint(
        out, base=loaded.spec, method=empty_method(), processor=loaded.processor, model=model, encoder=encoder
    )

    found = load(out)
    assert torch.allclose(logits(found.model, found.processor), wanted, atol=1e-5)
    assert not torch.allclose(logits(load(folder).model, found.processor), wanted, atol=1e-2)
    expected = tower(model.get_base_model())
    assert all(value.equal(expected[key]) for key, value in tower(found.model).items())
    assert found.processor.chat_template == loaded.processor.chat_template
    assert Method.load(out) == empty_method()
    assert not list(out.rglob("*.bin"))


def test_a_whole_checkpoint_needs_no_base(tiny_qwen: Path, tmp_path: Path) -> None:
    import torch

    from resa.models.checkpoint import save_checkpoint

    base = shutil.copytree(tiny_qwen, tmp_path / "base")
    loaded = load(base)
    with torch.no_grad():
        loaded.model.lm_head.weight.mul_(2)
    wanted = logits(loaded.model, loaded.processor)
    out = tmp_path / "checkpoint"
    save_checkpoint(out, base=loaded.spec, method=empty_method(), processor=loaded.processor, model=loaded.model)
    shutil.rmtree(base)
    found = load(out)
    assert torch.equal(logits(found.model, found.processor), wanted)
    assert found.spec.path == str(out)


def test_an_adapter_for_another_base_is_refused(tiny_qwen: Path, tmp_path: Path) -> None:
    from resa.models.checkpoint import save_checkpoint

    base = shutil.copytree(tiny_qwen, tmp_path / "base")
    loaded = load(base)
    save_checkpoint(tmp_path / "out", base=loaded.spec, method=empty_method(), processor=loaded.processor)
    config = json.loads((base / "generation_config.json").read_text())
    (base / "generation_config.json").write_text(json.dumps({**config, "max_length": 99}))
    from resa.models.checkpoint import Base

    with pytest.raises(ModelError, match="another base"):
        load(tmp_path / "out")
    assert Base.load(tmp_path / "out").spec.path == str(base)


def test_an_encoder_of_another_model_is_refused(tiny_qwen: Path, tiny_llava: Path, tmp_path: Path) -> None:
    from resa.models.checkpoint import install_encoder

    encoder = changed_encoder(load(tiny_llava), tmp_path / "encoder")
    with pytest.raises(ModelError, match=r"does not fit(.|\n)*encoder\.safetensors"):
        install_encoder(load(tiny_qwen).model, encoder)


def test_an_encoder_may_change_the_image_size(tiny_llava: Path, tmp_path: Path) -> None:
    """As FARE's 224-pixel tower does in LLaVA-1.5, which was trained at 336."""
    import torch
    from safetensors.torch import save_file
    from transformers import CLIPVisionConfig, CLIPVisionModel

    from resa.models.load import load_model

    smaller = {**load(tiny_llava).model.config.vision_config.to_dict(), "image_size": 56}
    other = CLIPVisionModel(CLIPVisionConfig(**smaller))
    state = {name: value for name, value in other.state_dict().items() if not name.endswith("position_ids")}
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    target = tower(load(tiny_llava).model)
    prefix = "vision_model." if any(key.startswith("vision_model.") for key in target) else ""
    save_file(
        {prefix + name.removeprefix("vision_model."): value for name, value in state.items()},
        encoder / "encoder.safetensors",
    )
    side = {"height": 56, "width": 56}
    changes = {
        "vision_config": {"image_size": 56},
        "image_processor": {"size": {"shortest_edge": 56}, "crop_size": side},
    }
    (encoder / "encoder.json").write_text(json.dumps(changes))
    loaded = load_model(ModelSpec(path=str(tiny_llava)), device="cpu", encoder=encoder)
    from resa.images import read_rgb
    from resa.models.chat import prompt_inputs
    from resa.types import Turn
    from tests.tiny_models import draw_image

    image = draw_image(tmp_path / "i.png", 1)
    inputs = prompt_inputs(loaded.processor, [(Turn("user", "what?", (image,)),)], read_rgb)
    assert inputs["pixel_values"].shape == (1, 3, 56, 56)
    with torch.no_grad():
        assert loaded.model(**inputs).logits.isfinite().all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ("pickle", "the weights are pickles"),
        ("empty", "holds no weights"),
        ("text", "not an image-text-to-text model: its type is 'gpt2'"),
        ("garbage", "cannot be loaded"),
    ],
)
def test_what_is_no_model_says_so(make: str, said: str, tiny_qwen: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_qwen, tmp_path / "model")
    if make in ("pickle", "empty"):
        (folder / "model.safetensors").unlink()
    if make == "pickle":
        (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    if make == "text":
        (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    if make == "garbage":
        (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=said):
        load(folder)


def test_pixel_bounds_reach_the_processor_and_are_refused_where_meaningless(tiny_qwen: Path, tiny_llava: Path) -> None:
    from resa.models.load import load_processor

    spec = ModelSpec(path=str(tiny_qwen), max_pixels=28 * 28)
    assert load_processor(spec).image_processor.size["longest_edge"] == 28 * 28
    with pytest.raises(ModelError, match="fixed image size"):
        load_processor(ModelSpec(path=str(tiny_llava), max_pixels=28 * 28))
