"""The toy run, and shards made on the spot."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.prove.toy_run import write_toy_run


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the toy run; not to be changed."""
    folder = tmp_path_factory.mktemp("toy")
    write_toy_run(folder)
    return folder
