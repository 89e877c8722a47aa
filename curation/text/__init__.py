"""One segmentation of a text, and what is derived from it without a threshold.

Everything above takes words, sentences and lines from here, so that a text is cut once however many filters look at it.
Its parts:

- `segmentation`  `Text`: one document, its words, sentences, lines and paragraphs, each computed once
- `tokens`        spaCy's English tokenizer, made bounded in time and memory
- `normalize`     the normal form that near duplicates are compared in
- `shingles`      hashes of runs of words, and Jaccard similarity
- `punctuation`   the character sets, as data with their source
"""
