"""spaCy's English tokenizer as flat tables, so that kernels can cut text without a Python object a word.

Its rules are read from the installed spaCy when the tables are built, never at run time. Its parts:

- `layout`         how the tables are laid out: what their builder and the kernels agree on
- `tables`         the packaged tables, `tables.npz`
- `build`          `python -m curation.text.english.build`: writes them, or checks that they are still spaCy's rules
- `rules`          the rules of the installed spaCy
- `alternatives`   regular expressions as ordered lists of alternatives
- `candidates`     these as arrays, and which of them a character can begin or end
- `characters`     what each code point is, and its normal form
- `special_cases`  the special cases and the tokens that spell them, as sets of strings
- `assumptions`    what the kernels take for granted, checked when the tables are built
"""
