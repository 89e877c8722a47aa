"""A tiny BERT with weights drawn by a fixed seed, saved as transformers saves it and as an ONNX graph."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

WORDS = [
    "the",
    "report",
    "of",
    "a",
    "committee",
    "on",
    "rivers",
    "and",
    "hills",
    "says",
    "that",
    "cheap",
    "shoes",
    "are",
    "sold",
    "in",
    "spring",
]
LONGEST = 128


def write_tokenizer(folder: Path) -> None:
    """A WordPiece tokenizer of whole words and letters."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = [chr(c) for c in range(97, 123)]
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *letters, *(f"##{letter}" for letter in letters), ".", "!"]
    vocabulary = {entry: number for number, entry in enumerate(dict.fromkeys(entries))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))


def write_torch(folder: Path, labels: list[str]) -> Any:
    """Saves a model of so many outputs to the folder and gives it."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(5)
    config = transformers.BertConfig(
        vocab_size=200,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=LONGEST,
        initializer_range=0.4,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    model = transformers.BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    write_tokenizer(folder)
    return model


def write_onnx(folder: Path, model: Any) -> None:
    """Writes `model.onnx` into the folder, all weights inside."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")

    class Graph(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits

    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = torch.ones((2, 32), dtype=torch.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Graph().eval(),
            (example, example, torch.zeros_like(example)),
            str(folder / "model.onnx"),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "rows", 1: "length"} for name in names},
            opset_version=17,
            dynamo=False,
        )
    model.eval()


def config(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "config.json").read_text()))
