"""A layout that does not fit the processes is one line before any work."""

from __future__ import annotations

import sys

import pytest

from connectors.errors import UserError
from trainer.backends.opening import check_layout, open_backend
from trainer.backends.reference import ReferenceBackend
from trainer.config import Training


def config(**changes: object) -> Training:
    return Training.model_validate({"batch": {"sequences": 8, "micro": 2}, **changes})


@pytest.mark.parametrize(
    ("changes", "world", "said"),
    [
        ({"layout": {"tensor": 2}}, 2, "reference backend splits data only"),
        ({"layout": {"pipeline": 2}}, 2, "backend: megatron"),
        ({"backend": "megatron", "layout": {"tensor": 2, "pipeline": 2}}, 6, "does not divide 6 processes"),
        ({"backend": "megatron", "layout": {"tensor": 2}}, 1, "does not divide 1 process.*multiple of 2"),
        ({}, 3, "sequences=8 is not a multiple of micro=2 x 3"),
    ],
)
def test_what_does_not_fit_is_one_line(changes: dict[str, object], world: int, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        check_layout(config(**changes), world)
    assert "\n" not in str(caught.value)


def test_the_rest_of_the_processes_split_the_data() -> None:
    assert check_layout(config(backend="megatron", layout={"tensor": 2}), 4) == 2
    assert check_layout(config(), 4) == 4


def test_the_world_is_torchruns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UserError, match="3 data-parallel"):
        open_backend(config(), ["web"])


def test_the_reference_backend_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    backend = open_backend(config(), ["web"])
    assert isinstance(backend, ReferenceBackend) and backend.place.world == 1
    backend.close()


def test_missing_megatron_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("megatron", "trainer.backends.megatron"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "megatron", None)
    with pytest.raises(UserError, match=r"'megatron-core' is not installed.*corpusmill\[train\]"):
        open_backend(config(backend="megatron"), ["web"])


def test_missing_torch_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "trainer.backends.reference")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"corpusmill\[train\]"):
        open_backend(config(), ["web"])
