"""Runs a transformer that classifies sequences, on one core: by ONNX Runtime, or by torch from a folder of safetensors.

Both read local files and nothing else. An ONNX graph is data; of a torch folder only safetensors are opened, never a
pickle, and no code that lies in the folder is run. `rows` says how many texts may share a mini-batch: 1 where a text's
figures would depend on its neighbours.
"""

from __future__ import annotations

import importlib.util
import json
import mmap
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from connectors.errors import UserError, missing_extra

Engine = Literal["onnx", "torch"]
Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

BATCH_TOKENS = 512  # of a mini-batch; on one core more rows of this length are no faster
TOKENIZER, CONFIG, GRAPH = "tokenizer.json", "config.json", "model.onnx"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
PICKLE = "pytorch_model.bin"
SCALES_BY_BATCH = b"DynamicQuantizeLinear"  # takes one scale over the whole mini-batch
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Model(Protocol):
    """A model that is open."""

    def rows(self, length: int) -> int:
        """How many texts of so many tokens may be scored at once."""
        ...

    def logits(self, ids: Whole, mask: Whole) -> Floats:
        """[rows, outputs] for token ids and attention mask, both [rows, length]."""
        ...


def open_model(model: str, engine: Engine) -> Model:
    """Opens the model. Raises `UserError` for one that the engine cannot read."""
    return OnnxModel(graph_of(model)) if engine == "onnx" else TorchModel(Path(model))


class OnnxModel:
    """An ONNX graph with inputs `input_ids`, `attention_mask` and maybe `token_type_ids`; its first output is the logits."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception:  # its errors have no common class
            raise UserError(f"'{path}' is no ONNX model that this onnxruntime can run") from None
        self.inputs = {given.name: given.type for given in self.session.get_inputs()}
        strange = next((name for name in self.inputs if name not in INPUTS), None)
        if strange or "input_ids" not in self.inputs:
            raise UserError(f"'{path}' wants the input '{strange or 'none'}': a model takes {', '.join(INPUTS)}")
        self.alone = _contains(path, SCALES_BY_BATCH)

    def rows(self, length: int) -> int:
        return 1 if self.alone else max(1, BATCH_TOKENS // length)

    def logits(self, ids: Whole, mask: Whole) -> Floats:
        values = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        given = {
            name: values[name].astype(np.int32 if kind == "tensor(int32)" else np.int64)
            for name, kind in self.inputs.items()
        }
        found = np.asarray(self.session.run(None, given)[0], np.float32)
        return found.reshape(len(ids), -1)


class TorchModel:
    """A folder that `save_pretrained` wrote. Each text is scored alone: torch sums in another order for other shapes."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification
        from transformers.utils import logging

        shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
        logging.disable_progress_bar()
        logging.set_verbosity_error()
        try:
            model, found = AutoModelForSequenceClassification.from_pretrained(
                str(folder),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        except Exception:  # its errors have no common class
            raise UserError(f"'{folder}' holds no sequence classifier that transformers can open") from None
        finally:
            logging.set_verbosity(verbosity)
            if shown:
                logging.enable_progress_bar()
        if found["missing_keys"]:  # transformers would draw them at random
            raise UserError(
                f"'{folder}' lacks weights of a classifier: {sorted(found['missing_keys'])[0]} and maybe more"
            )
        self.torch, self.model = torch, model.float().eval()

    def rows(self, length: int) -> int:
        return 1

    def logits(self, ids: Whole, mask: Whole) -> Floats:
        torch = self.torch
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # the engine has a process for each core
        try:
            with torch.inference_mode():
                found = self.model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
        finally:
            torch.set_num_threads(threads)
        return np.asarray(found.numpy(), np.float32)


def graph_of(model: str) -> Path:
    """The ONNX file that `model`, a file or a folder, names."""
    path = Path(model)
    return path / GRAPH if path.is_dir() else path


def files_of(model: str, engine: Engine) -> tuple[str, ...]:
    """The files that decide what a model says: graph or weights, with what belongs to them, tokenizer and config.

    Raises `UserError` for a missing one, and for a package that is not installed.
    """
    folder = graph_of(model).parent if engine == "onnx" else Path(model)
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    if engine == "onnx":
        graph = graph_of(model).name
        found = [name for name in names if name.startswith(graph)]  # with model.onnx_data, where weights are apart
        needed = [graph, TOKENIZER]
    else:
        found = [name for name in names if name.endswith(".safetensors") or name == WEIGHTS[1]]
        needed = [CONFIG, TOKENIZER, next((name for name in WEIGHTS if name in names), WEIGHTS[0])]
    for name in needed:
        if name not in names:
            pickled = PICKLE in names and name in WEIGHTS
            hint = f"; {PICKLE} is a pickle, which is not opened: save the model as safetensors" if pickled else ""
            raise UserError(f"No {name} in '{folder}': a model of engine '{engine}' needs it{hint}")
    _require(engine)
    return tuple(str(folder / name) for name in [*found, *(n for n in (TOKENIZER, CONFIG) if n in names)])


def _require(engine: Engine) -> None:
    packages, extra = (
        (("onnxruntime",), "classify") if engine == "onnx" else (("torch", "transformers"), "classify-torch")
    )
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise missing_extra(package, extra)


def config_of(model: str, engine: Engine) -> dict[str, Any]:
    """The model's `config.json`, empty where there is none. Raises `UserError` for one that is no JSON object."""
    path = (graph_of(model).parent if engine == "onnx" else Path(model)) / CONFIG
    try:
        found = json.loads(path.read_bytes()) if path.is_file() else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UserError(f"'{path}' is no JSON object")
    return found


def tokenizer_path(model: str, engine: Engine) -> Path:
    """Where the model's `tokenizer.json` lies."""
    return (graph_of(model).parent if engine == "onnx" else Path(model)) / TOKENIZER


def _contains(path: Path, what: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(what) >= 0
