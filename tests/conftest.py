"""Fixtures that several rooms' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny random Qwen2.5-VL (tests/tiny_models.py)."""
    from tests.tiny_models import build_qwen

    return build_qwen(tmp_path_factory.mktemp("tiny") / "qwen2_5_vl")


@pytest.fixture(scope="session")
def tiny_llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny random LLaVA-1.5 (tests/tiny_models.py)."""
    from tests.tiny_models import build_llava

    return build_llava(tmp_path_factory.mktemp("tiny") / "llava")
