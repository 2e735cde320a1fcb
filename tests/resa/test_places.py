"""Places: roots by name, errors that name the option, fingerprints that follow the content."""

from __future__ import annotations

from pathlib import Path

import pytest

from resa.artifacts import ArtifactStore, Stage
from resa.errors import ConfigError, DataError
from resa.places import Places


def test_local_roots_are_what_the_user_set(tmp_path: Path) -> None:
    (tmp_path / "vlguard").mkdir()
    places = Places.of_config({"name": "local", "vlguard": str(tmp_path / "vlguard"), "multitrust": None})
    assert places.root("vlguard") == tmp_path / "vlguard"
    assert set(places.roots) == {"vlguard"}


def test_a_root_nobody_set_names_its_option() -> None:
    with pytest.raises(DataError, match=r"(?s)paths\.multitrust.*paths\.multitrust=FOLDER"):
        Places.of_config({"name": "local", "multitrust": None}).key("multitrust")


def test_a_root_that_is_not_there_names_folder_and_option(tmp_path: Path) -> None:
    places = Places.of_config({"name": "local", "vlguard": str(tmp_path / "nowhere")})
    with pytest.raises(DataError, match=rf"(?s)not found.*paths\.vlguard={tmp_path}/nowhere.*set paths\.vlguard"):
        places.root("vlguard")


def test_a_root_must_be_a_path() -> None:
    with pytest.raises(ConfigError, match=r"paths\.vlguard"):
        Places.of_config({"name": "local", "vlguard": 3})


def test_the_key_follows_the_annotations(tmp_path: Path) -> None:
    keys = []
    for text in ("[]", "[1]", "[]"):
        root = tmp_path / f"copy{len(keys)}"
        root.mkdir()
        (root / "train.json").write_text(text)
        keys.append(Places({"vlguard": str(root)}).key("vlguard"))
    assert keys[0] == keys[2] != keys[1]


def test_a_file_is_a_root_too(tmp_path: Path) -> None:
    (tmp_path / "lexicon.json").write_text("{}")
    assert len(Places({"lexicon": str(tmp_path / "lexicon.json")}).key("lexicon")) == 64


def test_a_world_names_its_folders_and_its_lexicon(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        (folder / "vlguard").mkdir()
        (folder / "lexicon.json").write_text("{}")
        (folder / "compositions.jsonl").write_text("")

    store = ArtifactStore(tmp_path)
    small, large = (store.make(Stage("world", {"size": size}), write) for size in (0.1, 1.0))
    places = Places.of_world(small)
    assert set(places.roots) == {"vlguard", "lexicon"}
    assert places.key("vlguard") != Places.of_world(large).key("vlguard")
    assert places.key("vlguard") != places.key("lexicon")
    assert Places.from_json(places.to_json()) == places
