"""Megatron's shard files: same bytes as Megatron's own builder, readable by Megatron, and faults named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from connectors.errors import UserError
from connectors.megatron import ShardReader, ShardWriter, optimal_dtype

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of the builder

VOCABULARIES = [259, 50_257, 65_499, 65_500, 100_277, 200_019]


def documents(vocabulary: int, count: int) -> list[np.ndarray]:
    """Random documents, each seventh of them empty, the last token of the vocabulary among them."""
    random = np.random.default_rng([vocabulary, count])
    texts = [random.integers(0, vocabulary, 0 if i % 7 == 3 else random.integers(1, 90)) for i in range(count)]
    if texts:
        texts[0][-1] = vocabulary - 1
    return texts


def write(prefix: Path, texts: list[np.ndarray], dtype: np.dtype, batch: int = 64) -> None:
    with ShardWriter(f"{prefix}.bin", f"{prefix}.idx", dtype) as shard:
        for first in range(0, len(texts), batch):
            part = texts[first : first + batch]
            shard.add_documents(np.concatenate(part), np.array([len(text) for text in part]))
        shard.finish()
        assert shard.documents == len(texts)
        assert shard.tokens == sum(map(len, texts))


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """The prefix of a shard of 20 documents."""
    write(tmp_path / "00000", documents(1000, 20), optimal_dtype(1000))
    return tmp_path / "00000"


def test_layout_byte_for_byte(tmp_path: Path) -> None:
    """Against the layout as the module's docstring has it, spelled out by hand."""
    write(tmp_path / "s", [np.array([1, 2]), np.array([], dtype=int), np.array([65_499])], optimal_dtype(65_499 + 1))
    assert (tmp_path / "s.bin").read_bytes() == bytes.fromhex("01000000 02000000 dbff0000")
    assert (tmp_path / "s.idx").read_bytes() == (
        b"MMIDIDX\0\0"
        + bytes.fromhex("0100000000000000 04 0300000000000000 0400000000000000")
        + bytes.fromhex("02000000 00000000 01000000")
        + bytes.fromhex("0000000000000000 0800000000000000 0800000000000000")
        + bytes.fromhex("0000000000000000 0100000000000000 0200000000000000 0300000000000000")
    )


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("count", [0, 1, 1000])
def test_bytes_equal_megatrons_builder(tmp_path: Path, vocabulary: int, count: int) -> None:
    """Oracle: `IndexedDatasetBuilder` of megatron-core 0.16.1."""
    pytest.importorskip("megatron.core")
    import torch
    from megatron.core.datasets.indexed_dataset import DType, IndexedDatasetBuilder

    texts = documents(vocabulary, count)
    dtype = DType.optimal_dtype(vocabulary)
    assert np.dtype(dtype) == optimal_dtype(vocabulary)
    builder = IndexedDatasetBuilder(str(tmp_path / "theirs.bin"), dtype=dtype)
    for text in texts:
        builder.add_document(torch.from_numpy(text), [len(text)])
    builder.finalize(str(tmp_path / "theirs.idx"))
    write(tmp_path / "ours", texts, optimal_dtype(vocabulary))
    for suffix in (".bin", ".idx"):
        assert (tmp_path / f"ours{suffix}").read_bytes() == (tmp_path / f"theirs{suffix}").read_bytes()


def test_megatron_reads_our_shards(tmp_path: Path) -> None:
    """Oracle: `IndexedDataset` of megatron-core 0.16.1."""
    pytest.importorskip("megatron.core")
    from megatron.core.datasets.indexed_dataset import IndexedDataset

    texts = documents(100_277, 300)
    write(tmp_path / "s", texts, optimal_dtype(100_277))
    dataset = IndexedDataset(str(tmp_path / "s"))
    assert len(dataset) == 300
    assert dataset.sequence_lengths.tolist() == [len(text) for text in texts]
    assert dataset.document_indices.tolist() == list(range(301))
    for number, text in enumerate(texts):
        assert np.array_equal(dataset[number], text)


GPT_DATASET = """
import sys
import numpy as np
import torch
from megatron.core.datasets.blended_megatron_dataset_builder import BlendedMegatronDatasetBuilder
from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig

class Vocabulary:
    vocab_size, eod, unique_identifiers = 50257, 50256, {"class": "gpt2"}

config = GPTDatasetConfig(
    random_seed=1, sequence_length=32, blend=([sys.argv[1]], None), split="1,0,0", tokenizer=Vocabulary(),
    reset_position_ids=False, reset_attention_mask=False, eod_mask_loss=False, create_attention_mask=False,
    mid_level_dataset_surplus=0.005,
)
train = BlendedMegatronDatasetBuilder(GPTDataset, [100, 0, 0], lambda: True, config).build()[0]
order = train.document_index
stream = np.concatenate([train.dataset[int(document)] for document in order])
assert len(train) >= 100, len(train)
for number in range(len(train)):
    first = int(train.shuffle_index[number]) * 32
    sample = train[number]
    assert np.array_equal(sample["tokens"].numpy(), stream[first : first + 32]), number
    assert np.array_equal(sample["labels"].numpy(), stream[first + 1 : first + 33]), number
print("read", len(train), len(stream))
"""


def test_gpt_dataset_reads_our_shards(tmp_path: Path) -> None:
    """Oracle: `GPTDataset` of megatron-core 0.16.1 cuts its samples out of our documents, end to end in its order."""
    pytest.importorskip("megatron.core")
    texts = [np.append(text % 50_256, 50_256) for text in documents(50_256, 400)]
    write(tmp_path / "s", texts, optimal_dtype(50_257))
    command = [sys.executable, "-c", GPT_DATASET, str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("read ")


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """What was added comes back, document by document and as one stream, however it was batched."""
    dtype = data.draw(st.sampled_from(["uint8", "uint16", "int32", "int64"]))
    lengths = st.integers(0, 12)
    texts = data.draw(st.lists(lengths.flatmap(lambda n: arrays.arrays(np.dtype(dtype), n)), max_size=12))
    prefix = tmp_path_factory.mktemp("round") / "s"
    write(prefix, texts, np.dtype(dtype), batch=data.draw(st.integers(1, 5)))
    reader = ShardReader(prefix)
    reader.check()
    assert len(reader) == len(texts)
    assert reader.dtype == np.dtype(dtype)
    assert reader.lengths.tolist() == [len(text) for text in texts]
    stream = [token for text in texts for token in text.tolist()]
    assert reader.tokens == len(stream)
    for number, text in enumerate(texts):
        assert reader.document(number).tolist() == text.tolist()
        assert stream[reader.starts[number] :][: len(text)] == text.tolist()
    first = data.draw(st.integers(0, len(stream)))
    stop = data.draw(st.integers(first, len(stream)))
    assert reader.range(first, stop).tolist() == stream[first:stop]


def test_several_sequences_a_document(tmp_path: Path) -> None:
    """Oracle: megatron-core 0.16.1. A document that another writer cut into sequences is read whole."""
    pytest.importorskip("megatron.core")
    import torch
    from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder

    builder = IndexedDatasetBuilder(str(tmp_path / "s.bin"), dtype=np.uint16)
    builder.add_document(torch.tensor([1, 2, 3, 4]), [1, 3])
    builder.add_document(torch.tensor([], dtype=torch.int64), [])
    builder.add_document(torch.tensor([5, 6]), [0, 2])
    builder.finalize(str(tmp_path / "s.idx"))
    reader = ShardReader(tmp_path / "s")
    reader.check()
    assert [reader.document(i).tolist() for i in range(len(reader))] == [[1, 2, 3, 4], [], [5, 6]]


@pytest.mark.parametrize(
    ("tokens", "lengths", "fault"),
    [
        ([1, 2, 3], [1, 1], "add up to 2"),
        ([1], [2, -1], "add up to 1"),
        ([70_000], [1], "do not fit"),
        ([-1], [1], "do not fit"),
    ],
)
def test_writer_refuses(tmp_path: Path, tokens: list[int], lengths: list[int], fault: str) -> None:
    with ShardWriter(tmp_path / "s.bin", tmp_path / "s.idx", np.uint16) as shard:
        with pytest.raises(ValueError, match=fault):
            shard.add_documents(np.array(tokens), np.array(lengths))
        assert (shard.tokens, shard.documents) == (0, 0)


def test_unfinished_shard_has_no_index(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "s.bin", tmp_path / "s.idx", np.uint16) as shard:
        shard.add_documents(np.array([1]), np.array([1]))
    assert not (tmp_path / "s.idx").exists()
    with pytest.raises(UserError, match="no file"):
        ShardReader(tmp_path / "s")


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(content)


@pytest.mark.parametrize(
    ("offset", "content", "fault"),
    [
        (0, b"X", "does not begin with Megatron's header"),
        (9, b"\2", "version 2"),
        (17, b"\x07", "token type 7"),
        (18, b"\x13", "19 sequences and 20 documents"),
        (26, b"\x16", "20 sequences and 21 documents"),
        (34 + 4 * 19, b"\x7f", "its index says"),
        (34 + 12 * 20, b"\1", "do not cover"),
        (34 + 12 * 20 + 8 * 20, b"\x15", "do not cover"),
    ],
)
def test_damaged_header_is_named(shard: Path, offset: int, content: bytes, fault: str) -> None:
    overwrite(shard.with_suffix(".idx"), offset, content)
    with pytest.raises(UserError, match=fault) as caught:
        ShardReader(shard)
    assert "00000" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("suffix", "fault"), [(".bin", "its index says"), (".idx", "cut short")])
@pytest.mark.parametrize("change", [-1, 2])
def test_wrong_size_is_named(shard: Path, suffix: str, fault: str, change: int) -> None:
    path = shard.with_suffix(suffix)
    content = path.read_bytes()
    path.write_bytes(content[:change] if change < 0 else content + b"\0" * change)
    with pytest.raises(UserError, match=fault):
        ShardReader(shard)


@pytest.mark.parametrize(("offset", "fault"), [(34 + 4 * 5, "end to end"), (34 + 4 * 20 + 8 * 5, "end to end")])
def test_check_finds_damage_inside(shard: Path, offset: int, fault: str) -> None:
    overwrite(shard.with_suffix(".idx"), offset, b"\x7f")
    reader = ShardReader(shard)
    with pytest.raises(UserError, match=fault):
        reader.check()


def test_outside_is_refused(shard: Path) -> None:
    reader = ShardReader(shard)
    for index in (-1, 20):
        with pytest.raises(IndexError):
            reader.document(index)
    with pytest.raises(IndexError):
        reader.range(0, reader.tokens + 1)


def test_view_outlives_its_reader(shard: Path) -> None:
    """Megatron's own reader unmaps the file under its views; ours must not, and must not let them be written."""
    view = ShardReader(shard).document(1)
    assert view.tolist() == documents(1000, 20)[1].tolist()
    assert not view.flags.writeable
