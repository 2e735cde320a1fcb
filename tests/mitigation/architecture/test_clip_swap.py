"""Published CLIP weights in LLaVA's tower: a small random open_clip model stands in for the published ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from safetensors.torch import load_file, save_file

from mitigation.architecture.clip_swap import convert, run, tower_of
from mitigation.architecture.published import PublishedCLIP
from mitigation.architecture.stage import make_encoder
from resa.artifacts import ArtifactStore
from resa.errors import ConfigError, ModelError
from resa.launching import InProcess
from resa.models.load import load_model, model_config
from resa.models.spec import ModelSpec
from resa.places import Places

SOURCE_SIZE = 56  # LLaVA's tower in these tests takes 84 pixels, as 224 stands to 336


def open_clip_model(*, width: int = 32, quick_gelu: bool = True) -> Any:
    torch.manual_seed(0)
    vision = CLIPVisionCfg(layers=3, width=width, head_width=8, mlp_ratio=2.0, patch_size=14, image_size=SOURCE_SIZE)
    text = CLIPTextCfg(context_length=8, vocab_size=32, width=16, heads=2, layers=1)
    return CLIP(embed_dim=16, vision_cfg=vision, text_cfg=text, quick_gelu=quick_gelu).eval()


def published(folder: Path, model: Any, **said: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous() for name, value in model.state_dict().items() if "attn_mask" not in name}
    save_file(weights, str(folder / "open_clip_model.safetensors"))
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {"embed_dim": 16, **said}}))
    return folder


def swap(weights: Path, model: Path, output: Path, **settings: Any) -> dict[str, Any]:
    output.mkdir()
    choice = PublishedCLIP(str(weights), **settings)
    run({**choice.job(Places({}), None), "model": {"path": str(model)}, "output_dir": str(output)})
    found: dict[str, Any] = json.loads((output / "contents.json").read_text())
    return found


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("published") / "weights", open_clip_model())


def patch_tokens(model: Any, images: torch.Tensor) -> torch.Tensor:
    """open_clip's own tokens before its last block, CLS left out."""
    found = model.visual.forward_intermediates(images, indices=[1], output_fmt="NLC", intermediates_only=True)
    tokens: torch.Tensor = found["image_intermediates"][0]
    return tokens


@pytest.mark.parametrize("quick", [True, False])
def test_converted_patch_tokens_equal_the_sources(tiny_llava: Path, quick: bool) -> None:
    source = open_clip_model(quick_gelu=quick)
    config = model_config(ModelSpec(path=str(tiny_llava))).vision_config
    config.image_size, config.hidden_act = SOURCE_SIZE, "quick_gelu" if quick else "gelu"
    tower = tower_of(convert(source.state_dict(), config.patch_size), config)
    images = torch.randn(4, 3, SOURCE_SIZE, SOURCE_SIZE)
    with torch.no_grad():
        theirs = patch_tokens(source, images)
        found = tower(images, output_hidden_states=True)
        assert torch.allclose(found.pooler_output @ source.visual.proj, source.encode_image(images), atol=1e-5)
    ours = found.hidden_states[-2][:, 1:]
    assert torch.cosine_similarity(theirs, ours, dim=-1).min() > 0.9999
    assert torch.allclose(theirs, ours, atol=1e-5)


def test_the_model_sees_with_the_new_tower_at_its_size(weights: Path, tiny_llava: Path, tmp_path: Path) -> None:
    said = swap(weights, tiny_llava, tmp_path / "encoder")
    assert said["image_size"] == {"model": 84, "weights": SOURCE_SIZE, "now": SOURCE_SIZE}
    assert said["patch_cosine"] > 0.9999
    loaded = load_model(ModelSpec(path=str(tiny_llava)), device="cpu", encoder=tmp_path / "encoder")
    image = torch.randint(0, 256, (3, 90, 70), dtype=torch.uint8)
    asked = [{"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": "what?"}]}]
    inputs = loaded.processor.apply_chat_template(
        asked, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    assert inputs["pixel_values"].shape[-2:] == (SOURCE_SIZE, SOURCE_SIZE)
    assert int((inputs["input_ids"] == loaded.model.config.image_token_id).sum()) == (SOURCE_SIZE // 14) ** 2
    assert loaded.model.generate(**inputs, max_new_tokens=2, do_sample=False).shape[1] > inputs["input_ids"].shape[1]
    features = loaded.model.model.vision_tower(inputs["pixel_values"], output_hidden_states=True).hidden_states[-2]
    assert torch.allclose(features[:, 1:], patch_tokens(open_clip_model(), inputs["pixel_values"]), atol=1e-4)


def test_position_embeddings_can_be_stretched_instead(weights: Path, tiny_llava: Path, tmp_path: Path) -> None:
    said = swap(weights, tiny_llava, tmp_path / "encoder", position="interpolate")
    assert said["image_size"]["now"] == 84
    assert not (tmp_path / "encoder" / "encoder.json").exists()
    load_model(ModelSpec(path=str(tiny_llava)), device="cpu", encoder=tmp_path / "encoder")


def test_the_activation_beside_the_weights_is_taken(tiny_llava: Path, tmp_path: Path) -> None:
    weights = published(tmp_path / "weights", open_clip_model(quick_gelu=False), quick_gelu=False)
    said = swap(weights, tiny_llava, tmp_path / "encoder")
    assert said["hidden_act"] == {"model": "quick_gelu", "now": "gelu", "from": "open_clip_config.json"}
    assert json.loads((tmp_path / "encoder" / "encoder.json").read_text())["vision_config"]["hidden_act"] == "gelu"


def test_transformers_own_clip_weights_are_read_too(weights: Path, tiny_llava: Path, tmp_path: Path) -> None:
    converted = convert(load_file(str(weights / "open_clip_model.safetensors")), 14)
    folder = tmp_path / "weights"
    folder.mkdir()
    save_file({f"vision_model.{k}": v.contiguous() for k, v in converted.items()}, str(folder / "model.safetensors"))
    swap(folder, tiny_llava, tmp_path / "encoder")
    found = load_file(str(tmp_path / "encoder" / "encoder.safetensors"))
    assert all(torch.equal(found[name], value) for name, value in converted.items())


def test_weights_of_another_tower_are_refused_by_their_sizes(tiny_llava: Path, tmp_path: Path) -> None:
    weights = published(tmp_path / "weights", open_clip_model(width=48))
    with pytest.raises(ModelError, match="width 48, the model's tower has 32"):
        swap(weights, tiny_llava, tmp_path / "encoder")


def test_a_tower_that_is_not_clips_is_told_what_to_do(weights: Path, tiny_qwen: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"encoder@method\.encoder=fare"):
        swap(weights, tiny_qwen, tmp_path / "encoder")


def test_a_pickle_is_read_only_when_named(tiny_llava: Path, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    file = tmp_path / "weights" / "fare_eps_4.pt"
    torch.save(open_clip_model().visual.state_dict(), file)
    with pytest.raises(ModelError, match=r"trust_pickle=fare_eps_4\.pt"):
        swap(file, tiny_llava, tmp_path / "refused")
    swap(file, tiny_llava, tmp_path / "encoder", trust_pickle=file.name)


def test_bad_settings_name_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'interpolate'"):
        PublishedCLIP("x.safetensors", position="interpolat")


def test_the_stage_makes_it_once(weights: Path, tiny_llava: Path, tmp_path: Path) -> None:
    node = {"_target_": "mitigation.architecture.published.PublishedCLIP", "name": "p", "weights": str(weights)}
    config = {"model": {"path": str(tiny_llava)}, "method": {"encoder": node}, "seed": 0, "progress": False}
    store = ArtifactStore(tmp_path)
    made = make_encoder(config, store, InProcess(), Places({}), None)
    again = make_encoder(config, store, InProcess(), Places({}), None)
    assert made is not None
    assert again is not None
    assert (made.reused, again.reused) == (False, True)
    assert (
        make_encoder({**config, "method": {"encoder": {"name": "none"}}}, store, InProcess(), Places({}), None) is None
    )
