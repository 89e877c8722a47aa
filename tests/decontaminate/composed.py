"""Evaluation sets and documents composed for the tests of this room."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.decontaminate import Decontaminate
from curation.run.documents import CONTAMINATION, DOC_ID, ROW, TEXT

QUIZ = {
    "frogs": "Seventeen green frogs sat beside the quiet pond and watched how a grey heron walked slowly through the reeds "
    "until it found nothing at all to eat.",
    "moons": "Which planet has the most moons? Saturn.",
    "short": "True or false?",
    "german": "Der alte Leuchtturmwärter zählte jeden Abend die Schiffe, die an seiner Insel vorbeifuhren, und schrieb ihre "
    "Namen in ein dickes Buch.",
    "russian": "Старый смотритель маяка каждый вечер считал корабли, которые проходили мимо его острова, и записывал их "
    "названия в толстую книгу.",
    "hindi": "बूढ़ा पहरेदार हर शाम उन जहाज़ों को गिनता था जो उसके द्वीप के पास से गुज़रते थे और उनके नाम एक मोटी किताब में लिखता था।",
    "chinese": "光合作用是大多数食物网的基础，因为阳光是几乎所有生态系统的能量来源。",
    "japanese": "年老いた灯台守は毎晩、島のそばを通り過ぎる船を数えて、その名前を厚い本に書きつけた。",
    "thai": "ผู้ดูแลประภาคารนับเรือที่แล่นผ่านเกาะของเขาทุกเย็นและจดชื่อเรือลงในสมุดเล่มหนา",
}
AROUND = (
    "The committee met on Tuesday to discuss the budget, and nobody who was there could say later what had been decided. "
    * 6
)


def write_set(path: Path, items: dict[str, str] | Sequence[dict[str, Any]]) -> str:
    """A set as a file of JSON lines; its path."""
    rows = [{"id": name, "text": text} for name, text in items.items()] if isinstance(items, dict) else items
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def batch(*texts: str) -> pa.RecordBatch:
    """A document batch of some texts."""
    ids = [number.to_bytes(16, "big") for number in range(len(texts))]
    columns = {
        DOC_ID: pa.array(ids, pa.binary(16)),
        ROW: pa.array(range(len(texts)), pa.uint32()),
        TEXT: pa.array(texts, pa.string()),
    }
    return pa.record_batch(columns)


def judged(step: Decontaminate, *texts: str) -> list[dict[str, Any]]:
    """What a step makes of some texts, a dictionary each."""
    rows: list[dict[str, Any]] = step(batch(*texts)).to_pylist()
    return rows


def found(step: Decontaminate, text: str) -> list[str]:
    """The items that are found in a text."""
    return [item["item"] for item in judged(step, text)[0][CONTAMINATION]]
