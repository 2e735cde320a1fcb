"""Projected gradient descent on pixels, as FARE trains with it and as attacks use it.

Behaviour of chs20/RobustVLM@7de10ee ``train/pgd_train.py`` (checked against its numbers in tests/parity): the gradient
is normalised, added to a decaying velocity that is normalised again, and the perturbation is projected to the ball and
then to valid pixels. Hence with the L-inf norm and ``momentum`` below 1 the momentum changes nothing except where a
gradient is exactly zero. The start is neither projected nor clamped before the first evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from resa.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from torch import Generator, Tensor

Norm = Literal["linf", "l2"]
NORMS = ("linf", "l2")


def pgd(
    loss_fn: Callable[[Tensor], Tensor],
    images: Tensor,
    eps: float,
    step_size: float,
    steps: int,
    *,
    momentum: float = 0.9,
    start: Tensor | None = None,
    norm: Norm = "linf",
    minimise: bool = False,
) -> Tensor:
    """Images within ``eps`` of ``images`` that raise (or lower) a loss.

    Args:
        loss_fn: perturbed images, shaped as ``images``, -> a scalar. Each image should add to it on its own, so that
            the result does not depend on the batch.
        images: (batch, ...) in [0, 1].
        eps: radius of the ball, in pixel values; step_size: of each step, likewise; steps: their number.
        momentum: share of the last velocity that is kept.
        start: first perturbation, shaped as ``images``; None starts at the images themselves.
        norm: of the ball, per image.
        minimise: lower the loss instead of raising it.

    Returns:
        Perturbed images in [0, 1], detached, of the dtype of ``images``.
    """
    import torch

    if norm not in NORMS:
        raise ConfigError(f"unknown norm {norm!r}. {did_you_mean(norm, NORMS)}", where="norm")
    images = images.detach()
    perturbation = torch.zeros_like(images) if start is None else start.detach().to(images)
    velocity = torch.zeros_like(images)
    for _ in range(steps):
        perturbation = perturbation.requires_grad_()
        with torch.enable_grad():
            loss = loss_fn(images + perturbation)
            (gradient,) = torch.autograd.grad(loss, perturbation)
        with torch.no_grad():
            velocity = _unit(momentum * velocity + _unit(-gradient if minimise else gradient, norm), norm)
            perturbation = _project(perturbation.detach() + step_size * velocity, eps, norm)
            perturbation = (images + perturbation).clamp(0, 1) - images
    return (images + perturbation).detach()


def uniform_start(images: Tensor, eps: float, generator: Generator | None = None) -> Tensor:
    """A perturbation drawn uniformly from the L-inf ball, shaped as ``images``; drawn on the generator's device."""
    import torch

    device = images.device if generator is None else generator.device
    drawn = torch.rand(images.shape, generator=generator, device=device, dtype=images.dtype)
    return ((2 * drawn - 1) * eps).to(images.device)


def _unit(direction: Tensor, norm: Norm) -> Tensor:
    """The steepest direction of length one: signs, or division by each image's L2 length."""
    return direction.sign() if norm == "linf" else direction / _lengths(direction).clamp_min(1e-12)


def _project(perturbation: Tensor, eps: float, norm: Norm) -> Tensor:
    if norm == "linf":
        return perturbation.clamp(-eps, eps)
    return perturbation.renorm(2, 0, eps)  # as the official code, whose digits depend on renorm's own 1e-7


def _lengths(value: Tensor) -> Tensor:
    """L2 length of each image, shaped to multiply with it."""
    return value.flatten(1).norm(dim=1).view(-1, *[1] * (value.dim() - 1))
