"""What a row becomes: the loss lies on the completion and its end alone; nothing is truncated or silently skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from resa.errors import DataError, TrainingError
from tests.resa.training.jobs import write_rows
from tests.tiny_models import draw_image

IMAGE_TOKENS = {"qwen2_5_vl": ("<|image_pad|>", 9), "llava": ("<image>", 36)}
GOLDEN = {
    "qwen2_5_vl": (
        (
            "<|im_start|>system\nanswer in one sentence.<|im_end|>\n"
            "<|im_start|>user\n<|vision_start|>[IMAGE]<|vision_end|>what is this?<|im_end|>\n<|im_start|>assistant\n"
        ),
        "<think>a sign</think>\nstop.<|im_end|>",
    ),
    "llava": (
        "answer in one sentence. USER: [IMAGE]\nwhat is this? ASSISTANT:",
        " <think>a sign</think>\nstop.</s>",
    ),
}


@pytest.fixture(scope="module", params=["qwen2_5_vl", "llava"])
def encoder(request: pytest.FixtureRequest, tiny_qwen: Path, tiny_llava: Path) -> Any:
    from resa.models.load import load_processor
    from resa.models.spec import ModelSpec
    from resa.training.encode import Encoder
    from resa.training.run import end_ids

    spec = ModelSpec(path=str(tiny_qwen if request.param == "qwen2_5_vl" else tiny_llava), name=request.param)
    encoder = Encoder(load_processor(spec), end_ids(spec))
    encoder.name = request.param  # type: ignore[attr-defined]
    return encoder


def row(
    tmp_path: Path, text: str = "what is this?", completion: str = "<think>a sign</think>\nstop."
) -> dict[str, Any]:
    image = draw_image(tmp_path / "image.png", 3)
    system = {"role": "system", "text": "answer in one sentence.", "images": []}
    user = {"role": "user", "text": text, "images": [image]}
    return {"id": "row-7", "prompt": [system, user], "completion": completion}


def test_the_loss_mask_decodes_to_the_completion(encoder: Any, tmp_path: Path) -> None:
    """Golden: the prompt, then exactly what the loss sees, for both templates."""
    found = encoder.encode(row(tmp_path))
    decode = encoder.processor.tokenizer.decode
    token, count = IMAGE_TOKENS[encoder.name]
    prompt, completion = GOLDEN[encoder.name]
    assert decode(found.input_ids[: found.prompt_length]) == prompt.replace("[IMAGE]", token * count)
    assert decode(found.input_ids[found.prompt_length :]) == completion


def test_labels_are_the_completion_and_the_rest_is_ignored(encoder: Any, tmp_path: Path) -> None:
    from dataclasses import asdict

    from resa.training.collate import Collator
    from resa.training.encode import IGNORED

    text_row = {"id": "t", "prompt": [{"role": "user", "text": "hi", "images": []}], "completion": "yes"}
    batch = Collator(encoder.processor)([asdict(encoder.encode(value)) for value in (row(tmp_path), text_row)])
    decode = encoder.processor.tokenizer.decode
    seen = [decode(labels[labels != IGNORED]) for labels in batch["labels"]]
    end = {"qwen2_5_vl": "<|im_end|>", "llava": "</s>"}[encoder.name]
    assert seen == [GOLDEN[encoder.name][1], {"qwen2_5_vl": "", "llava": " "}[encoder.name] + "yes" + end]
    assert (batch["labels"][batch["attention_mask"] == 0] == IGNORED).all()
    assert (batch["labels"] != IGNORED).sum() == sum(len(encoder.processor.tokenizer(s)["input_ids"]) for s in seen)


def test_a_batch_is_what_the_processor_makes_of_it(encoder: Any, tmp_path: Path) -> None:
    """Ids and image tensors of the prompt equal those of the engine's path, so training and answering see the same."""
    import torch

    from eval.engines.chat import Chat
    from resa.images import read_rgb
    from resa.training.collate import Collator, check_images_apart
    from resa.types import Sample, Turn

    value = row(tmp_path)
    turns = tuple(Turn.from_json(turn) for turn in value["prompt"])
    inputs = Chat(encoder.processor).inputs([Sample("s", "T1", "v", turns, None, 8)], read_rgb)
    found = encoder.encode(value)
    assert found.input_ids[: found.prompt_length] == inputs["input_ids"][0].tolist()
    batch = Collator(encoder.processor)([vars(found)])
    assert torch.equal(batch["pixel_values"], inputs["pixel_values"])
    check_images_apart(encoder.processor, value["prompt"][1]["images"][0])


def test_control_tokens_in_a_prompt_are_plain_text_and_in_a_completion_refused(encoder: Any, tmp_path: Path) -> None:
    end = {"qwen2_5_vl": "<|im_end|>", "llava": "</s>"}[encoder.name]
    found = encoder.encode(row(tmp_path, text=f"end {end} now"))
    stop = encoder.processor.tokenizer.convert_tokens_to_ids(end)
    plain = encoder.encode(row(tmp_path))
    assert found.input_ids.count(stop) == plain.input_ids.count(stop)
    with pytest.raises(DataError, match=r"spells out control tokens(.|\n)*row-7"):
        encoder.encode(row(tmp_path, completion=f"yes{end}no"))


def test_a_truncated_image_is_named_with_its_row(encoder: Any, tmp_path: Path) -> None:
    value = row(tmp_path)
    file = Path(value["prompt"][1]["images"][0])
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(DataError, match=r"row-7: .*image\.png"):
        encoder.encode(value)


def test_rows_are_encoded_once_and_all_bad_ones_named(encoder: Any, tmp_path: Path) -> None:
    from resa.training.encode import encode_rows

    data = write_rows(tmp_path / "data", 6, lambda number: number % 2 == 0)
    rows = encode_rows(data, tmp_path / "work", encoder, "k")
    assert rows["id"][:] == [f"row{number}" for number in range(6)]
    for number in (0, 4):
        (data / "images" / f"{number}.png").unlink()
    assert encode_rows(data, tmp_path / "work", encoder, "k")["id"][:] == rows["id"][:], "not encoded again"
    with pytest.raises(DataError, match=r"2 rows cannot be encoded(.|\n)*row0(.|\n)*row4"):
        encode_rows(data, tmp_path / "work", encoder, "another key")


def test_long_rows_are_refused_by_name_or_dropped_and_counted(encoder: Any, tmp_path: Path) -> None:
    from resa.training.encode import encode_rows, fit_lengths

    data = tmp_path / "data"
    write_rows(data, 4, lambda number: number == 2)
    lines = [json.loads(line) for line in (data / "rows.jsonl").read_text().splitlines()]
    lines[1]["completion"] = "again " * 300
    (data / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    rows = encode_rows(data, tmp_path / "work", encoder, "k")
    with pytest.raises(TrainingError, match=r"1 of 4 rows(.|\n)*row1 \(\d+ tokens\)(.|\n)*training.max_length=\d+"):
        fit_lengths(rows, 200, "error")
    kept, dropped = fit_lengths(rows, 200, "drop")
    assert (kept["id"][:], dropped) == (["row0", "row2", "row3"], ["row1"])
    with pytest.raises(TrainingError, match="every row is longer"):
        fit_lengths(rows, 5, "drop")


def test_images_of_unlike_sizes_share_a_batch_and_the_cache_stays_small(encoder: Any, tmp_path: Path) -> None:
    from resa.training.collate import PreparedImages

    files = []
    for number, size in enumerate([(84, 84), (168, 84), (84, 84)]):
        files.append(str(tmp_path / f"{number}.png"))
        Image.new("RGB", size, (number, 0, 0)).save(files[-1])
    small = PreparedImages(encoder.processor, 1)
    whole = encoder.processor.image_processor(images=[Image.open(file) for file in files], return_tensors="pt")
    found = small.of(files)
    assert all(found[name].equal(whole[name]) for name in whole)
    assert len(small._held) == 1
