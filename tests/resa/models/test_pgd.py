"""PGD answers what the official implementation answers (tests/parity/fare.json: numbers of chs20/RobustVLM@7de10ee)."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from resa.errors import ConfigError
from resa.models.pgd import pgd, uniform_start

VECTORS = json.loads((Path(__file__).parents[2] / "parity" / "fare.json").read_text())


def network(case: dict[str, Any], dtype: torch.dtype) -> Any:
    """The vectors' net: tanh(conv) -> gelu(conv) -> linear -> optional L2 normalisation."""
    weights = {
        name: torch.tensor(value, dtype=dtype) for name, value in VECTORS["weights"][case["inputs"]["net"]].items()
    }
    first, second, last = ((weights[f"{n}.weight"], weights.get(f"{n}.bias")) for n in layer_names(weights))

    def embed(images: torch.Tensor) -> torch.Tensor:
        hidden = functional.conv2d(images, *first, stride=2, padding=1).tanh()
        hidden = functional.gelu(functional.conv2d(hidden, *second, stride=2, padding=1))
        found = functional.linear(hidden.flatten(1), *last)
        return functional.normalize(found, dim=-1) if case["params"]["output_normalize"] else found

    return embed


def layer_names(weights: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(name.rsplit(".", 1)[0] for name in weights))


def loss_of(case: dict[str, Any], embed: Any, dtype: torch.dtype) -> Any:
    if case["params"]["loss"] == "l2":
        target = torch.tensor(case["inputs"]["embedding_orig"], dtype=dtype)
        return lambda images: (embed(images) - target).pow(2).sum(1).mean()
    labels = torch.tensor(case["inputs"]["text_labels_norm"], dtype=dtype) * case["params"]["logit_scale"]
    goals = torch.tensor(case["inputs"]["targets"])
    return lambda images: functional.cross_entropy(embed(images) @ labels, goals)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["id"])
def test_official_numbers(case: dict[str, Any]) -> None:
    params, dtype = case["params"], getattr(torch, case["params"]["dtype"])
    tolerance = functools.partial(torch.testing.assert_close, rtol=0, atol=VECTORS["tolerance"][params["dtype"]])
    embed = network(case, dtype)
    loss = loss_of(case, embed, dtype)
    seen: list[float] = []

    def watched(images: torch.Tensor) -> torch.Tensor:
        value = loss(images)
        seen.append(value.item())
        return value

    start = case["inputs"]["start_perturbation"]
    attacked = pgd(
        watched,
        torch.tensor(case["inputs"]["x"], dtype=dtype),
        params["eps"],
        params["stepsize"],
        params["iterations"],
        momentum=params["momentum"],
        start=None if start is None else torch.tensor(start, dtype=dtype),
        norm=params["norm"],
        minimise=params["mode"] == "min",
    )
    tolerance(attacked, torch.tensor(case["outputs"]["x_adv"], dtype=dtype))
    # Losses reach 45, so that float64's last digits are beyond an absolute 1e-12.
    official = torch.tensor(case["outputs"]["loss_before_each_step"], dtype=dtype)
    torch.testing.assert_close(
        torch.tensor(seen, dtype=dtype), official, rtol=1e-12 if dtype == torch.float64 else 1e-6, atol=1e-12
    )
    tolerance(embed(attacked), torch.tensor(case["outputs"]["embedding_adv"], dtype=dtype))


def test_the_result_is_an_image_within_the_ball() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((2, 3, 6, 6), generator=generator)
    start = uniform_start(images, 0.1, generator)
    attacked = pgd(lambda x: (x * 7).sin().sum(), images, 0.1, 0.03, 5, start=start)
    assert (attacked - images).abs().max() <= 0.1 + 1e-6
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert not attacked.requires_grad


def test_an_image_is_attacked_alike_in_any_batch() -> None:
    images = torch.rand((3, 3, 6, 6), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    attack = functools.partial(pgd, lambda x: (x * 7).sin().sum(), eps=0.3, step_size=0.1, steps=4, norm="l2")
    together, alone = attack(images), attack(images[1:2])
    torch.testing.assert_close(together[1:2], alone)


def test_an_unknown_norm_is_named() -> None:
    with pytest.raises(ConfigError, match="linf"):
        pgd(lambda x: x.sum(), torch.zeros(1, 3, 2, 2), 0.1, 0.1, 1, norm="l1")  # type: ignore[arg-type]
