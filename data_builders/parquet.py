"""The rows as Parquet, beside ``hf/``: the same columns, images embedded, readable by anything that reads Parquet.

datasets.load_dataset("parquet", data_files="DATASET_DIR/parquet/*.parquet", split="train")
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_builders.output import HF

PARQUET = "parquet"
GROUP_ROWS, GROUP_BYTES = 10_000, 64 << 20
"""A row group ends at whichever comes first, so that a reader of one group needs bounded memory whatever the images."""


def write_parquet(folder: Path) -> None:
    """Write ``folder/parquet``, a file for each shard of ``folder/hf``. The same rows give the same bytes.

    One row group is in memory at a time. The features (which column holds images) travel in the schema, where
    ``datasets`` looks for them.
    """
    import pyarrow  # type: ignore[import-untyped]
    from pyarrow import parquet

    out = folder / PARQUET
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    for shard in sorted((folder / HF).glob("*.arrow")):
        with (
            pyarrow.memory_map(str(shard)) as source,
            pyarrow.ipc.open_stream(source) as batches,
            parquet.ParquetWriter(out / f"{shard.stem}.parquet", batches.schema) as writer,
        ):
            for group in _groups(batches):
                writer.write_table(pyarrow.Table.from_batches(group), row_group_size=GROUP_ROWS)


def _groups(batches: Any) -> Iterator[list[Any]]:
    """Record batches, as many as make a row group."""
    group: list[Any] = []
    rows = size = 0
    for batch in batches:
        if group and (rows + batch.num_rows > GROUP_ROWS or size + batch.nbytes > GROUP_BYTES):
            yield group
            group, rows, size = [], 0, 0
        group.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
    if group:
        yield group
