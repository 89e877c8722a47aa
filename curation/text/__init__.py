"""One segmentation of a batch of texts, and everything that is counted over it without a threshold.

    column ─► `columns` ─► `batch`: facts as arrays, a row a text ◄─ `kernels/` over `segmenter`'s vocabulary of chunks
                                                                     ▲ cut by the rules in `english/`

- `columns`      Arrow columns of strings to batches; successive steps share one
- `batch`        `TextBatch`: words, lines, sentences, repetition, n-grams, shingles, each computed once for all texts
- `segmenter`    the process's vocabulary of distinct chunks, bounded
- `kernels/`     the compiled functions
- `english/`     spaCy's English tokenizer compiled to flat tables
- `segmentation` `Text`: one document as Python sees it, for measures of one's own
- `rewriting`    texts made of lines
- `shingles`     hashes of runs of words, and Jaccard similarity
- `normalize`    the normal form that near duplicates are compared in
- `punctuation`  the character sets, as data with their source
- `white_space_words`  facts of words by white space
- `languages`    the word tokenizers of other languages, with `spacy_languages`, `other_tokenizers`, `spaced`, `alignment`;
                 `word_batch` is a batch of such words, `language_names` their names
"""
