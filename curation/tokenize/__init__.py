"""Text becomes tokens: one protocol, and behind it the tokenizers that models are published with.

The finish pass calls a tokenizer directly; there is no step here. Its parts:

- `tokenizer`             what every tokenizer can do
- `loading`               from a file, folder or plain name to a tokenizer: the room's door
- `huggingface`           tokenizer.json, by the `tokenizers` library
- `gpt2_files`            vocab.json with merges.txt
- `wordpiece`             vocab.txt, as BERT has it
- `tiktoken_ranks`        rank files of tiktoken
- `sentencepiece_model`   SentencePiece models
- `fast`                  the ids of these, by a faster encoder wherever one is known to agree
- `byte_level_encoder`    such an encoder: our own, for byte-level BPE
- `fastokens_encoder`     another: the `fastokens` library
- `checked_encoder`       what is checked text by text, and what happens on a difference
- `characters`, `probes`  what the two are tried on
- `train`                 a byte-level BPE of one's own: `pre_token_counts` are what it learns from
- `split_patterns`, `character_classes`, `byte_alphabet`  where text is cut into pre-tokens, by which characters, and as what
- `train_wordpiece`, `train_sentencepiece`  other models, by their own libraries
- `document_keys`, `sorted_runs`  documents' tokens in the order of a keyed hash: what shards are made from

A page may spell any special token; what comes out is ordinary text, never the end-of-document token.
"""
