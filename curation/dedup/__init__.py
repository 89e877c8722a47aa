"""Deduplication: which documents count as one.

What a document is compared by, in the first pass:
- `shingles`, `normal_texts`  runs of words or characters of a text's normal form
- `banding`, `presets`        bands and rows, by a target or as published; the S-curve
- `signature`, `sketches`     values, keys and agreement; the true similarity in 4 kB
- `addresses`, `policy`       a URL's canonical form; which of alike documents is preferred
- `keys`, `signature_files`   the step that adds all that, and the file that keeps it
- `exchange`                  signatures to datasketch and back

The stage between the passes, each part a task for an engine:
- `homes`, `questions`        which documents lie together, and how homes ask each other
- `key_blobs`, `stars`, `candidates`  keys travel packed and become edges, each to the document that ranks first;
  `wanted_keys` where few of them count
- `exact`                     equal texts and addresses
- `comparing`, `measuring`    candidates by their signatures, uncertain ones by their shingles
- `similar_pairs`             which of them are similar
- `deciding`                  one pass in the order of rank: who goes, and for whom
- `components`, `component_removals`  the unverified way; `external_components` by ranges, `component_files` for both
- `representatives`           what stands for each document that is out; `duplicates` the list of them
- `index`                     what a run kept, for later runs

Below the document: `spans` cuts texts into sentences, lines or paragraphs, `repeated_spans` decides, `cut_spans` cuts.
"""
