"""Texts on which encoders are likely to differ, if they do: what a fast encoder must encode as its reference does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from curation.tokenize.characters import in_company

SPACES = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2003\u2007\u2009\u2028\u2029\u202f\u205f\u3000\u200b\u2060\ufeff"
)
RUNS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 24, 32, 33, 64, 81, 129)
LONG = 1500

CONTRACTIONS = ("s", "t", "d", "m", "re", "ve", "ll", "S", "LL", "Re", "vE", "em", "ſ", "sss", "rexx", "l", "1")

# Every script brings its own letters, digits, marks and joiners.
SCRIPTS = """
Größe, naïve façade, Łódź, İstanbul ılık, ﬁne ﬃ ß ẞ ǅ ǆ Ǆ ªº
Добрый день, 12 мая; ёлка й и\u0306
Καλημέρα κόσμε, ΐ ΰ ς Σ
你好，世界。我们在2024年12月见面！「是」—好…
こんにちは世界、カタカナ ｶﾀｶﾅ か\u3099 が ヴ ー々〆
안녕하세요 세계 각 \u1100\u1161\u11a8 ㄱㄴ
مرحبا بالعالم، ١٢٣٤ لا إله اَلْعَرَبِيَّة ـــ
שלום עולם, שָׁלוֹם 12:30
नमस्ते दुनिया १२३ क्षि त्र\u200dक \u0958 क\u093c
வணக்கம் உலகம் ௧௨௩ கௌ
สวัสดีชาวโลก ๑๒๓ ภาษาไทยไม่เว้นวรรค
မင်္ဂလာပါ ကမ္ဘာ ၁၂၃
ជំរាបសួរ ពិភពលោក ១២៣
ሰላም ዓለም ፩፪፫
Xin chào thế giới Việt Nam Vie\u0323\u0302t Vi\u1ec7t
e\u0301 é e\u0301\u0323 e\u0323\u0301 a\u0300\u0301\u0302\u0303\u0304\u0305 \u0301 \u0301a Å \u212b A\u030a \u2126 \u2460 ｆｕｌｌ
😀😃👍🏽👩‍👩‍👧‍👦🇩🇪🇫🇷🏴󠁧󠁢󠁥󠁮󠁧󠁿1️⃣#️⃣❤️☺︎🫠🪿
𝒜𝓫𝕔 𝟙𝟚𝟛 𐍈𐌰 𒀀 𓀀 𠮷野家 ﷽
½ ¼ ² ³ ¹⁰ ₂ Ⅷ ⅷ ① ㊿ ༳ ৴ 一二三 〇 𑁧
"quoted" “curly” ‘single’ «guillemets» „low“ it’s don’t l’été 'tis 'S 'Re o'clock 5' 6"
× ÷ ≠ ∑ ∫ √ € £ ¥ ₿ © ® ™ § ¶ † • – — ‑ ‐ − … ‥ ‽ ¿ ¡
""".strip().split("\n")

CODE_POINTS = (
    "\0\x01\x08\x0e\x1b\x7f\x80\x9f\xad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2061\u2066\u2069"
    "\ud7ff\ue000\uf8ff\ufdd0\ufe0e\ufe0f\ufff9\ufffc\ufffd\ufffe\uffff\U0001fffe\U00020000\U0002fa1d\U000e0001\U000e0041"
    "\U000f0000\U0010ffff\u0378\u05ff\u0898\u1acf\u1c8a\ua7cb\U00010d40\U00016d63\U0001ccd6\U0001fae9"
)

SPELLED = (
    "<|endoftext|>", "<|end_of_text|>", "</s>", "<s>", "<eos>", "<bos>", "<unk>", "<pad>", "[SEP]", "[CLS]", "[MASK]",
    "[UNK]", "[INST]", "[/INST]", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|endofprompt|>", "<|user|>", "<0x0A>",
    "<0xFF>", "▁", "▁▁", "Ġ", "Ċ", "Ġthe", "âĢĻ", "##ing", "@@", "</w>", "<|endoftext", "endoftext|>", "<|ENDOFTEXT|>",
)  # fmt: skip

PLAIN = (
    "",
    "camelCase HTTPServer iPhone5s XMLHttpRequest2 ALLCAPS McDonald aBcDeF oNE TwoThree",
    "1 12 123 1234 12345 123456 1234567 1,234,567.89 0x1F 1e-9 3.14159 2024-12-31T23:59:59Z 007 10km 5th",
    "https://example.org/a/b?c=d&e=f#g mailto:a.b+c@example.org C:\\Users\\x /usr/lib 192.168.0.1 ::1",
    "def f(x):\n    if x is None:\n\t\treturn {'a': [1, 2]}\n\n\n    # done\n    return x**2 != 3 // 4  \n",
    '<div class="a">&nbsp;&amp;<br/></div>\r\n\r\n<!-- -->\r\n  | a | b |\n|---|:-:|\n',
    "\\frac{a}{b} $x_1^2$ \\\\ \n\n\\begin{it}  \t\r\n \n  end",
)


def texts(spellings: Sequence[str], added: Sequence[str]) -> list[str]:
    """All probes for a vocabulary: those that are the same for each, and those made of its tokens and added tokens.

    About 180,000 characters, and the vocabulary's own once more.
    """
    return [*_hard(), *_of_vocabulary(spellings), *(_spelled(spelling) for spelling in added[:300])]


def _hard() -> Iterator[str]:
    yield from PLAIN
    yield from SCRIPTS
    yield from map(_spelled, SPELLED)
    yield from (in_company(character) for character in (*map(chr, range(128)), *SPACES, *CODE_POINTS))
    yield from ("".join(chr(first) + chr(second) for second in range(128)) for first in range(128))
    yield from (
        f"a{first}{second}b{first}{first}{second}1{second}{first}{first}." for first, second in product(SPACES, SPACES)
    )
    yield from (
        f"{quote}{word} we{quote}{word} WE{quote}{word}a 5{quote}{word}" for quote in "'’" for word in CONTRACTIONS
    )
    for unit in (
        *" \t\n\r\xa0\u3000aA0=-_.*'e\u0301字😀",
        "\r\n",
        " \n",
        "\n ",
        "ab",
        "Ab",
        "a.",
        "1,",
        "\u200d",
        "<|",
    ):
        yield from (f"x{unit * length}y {unit * length}" for length in RUNS)
        yield unit * LONG
    yield from (
        _letters(alphabet)
        for alphabet in ("abcdefghijklmnopqrstuvwxyz", "ACGT", "0123456789", "aA0+/", "字中文的", "\u0301e ")
    )


def _letters(alphabet: str) -> str:
    """One long word without pattern: the low bits of a linear congruential generator are not used."""
    state, drawn = 1, []
    for _ in range(LONG):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        drawn.append(alphabet[(state >> 33) % len(alphabet)])
    return "".join(drawn)


def _spelled(spelling: str) -> str:
    return f"{spelling}a{spelling}b {spelling} {spelling}{spelling}\n{spelling}  {spelling}.{spelling}1 {spelling}"


def _of_vocabulary(spellings: Sequence[str]) -> Iterator[str]:
    """Every token once, beside tokens that are far from it, with nothing, a space or a line end between."""
    stride = max(1, len(spellings) // 16)
    for first in range(min(stride, len(spellings))):
        yield ("", " ", "\n")[first % 3].join(spellings[first::stride])
