"""A composed crawl of any size, with the truth about every page: the input of the quickstart and of scale tests.

Pages are made from a grammar and word lists, so there is nothing to download and nobody's words are used. Page n of a
crawl is a function of (seed, n) alone: files can be written in a stream, and a copy finds its original by number. Its parts:

- `write`          the door: `write_sample(folder, pages, seed)`
- `populations`    the mix: shares and intended fates, one row each
- `genres`, `faults`, `replies`, `languages`   good English pages, pages that a rule removes, non-pages, other languages
- `duplicates`, `personal_data`, `evaluation`  what is planted: copies, personal data, evaluation items
- `prose`, `grammar`, `vocabulary`, `randomness`   sentences from rules and word lists (`english.yaml`, `topics/`)
- `skins`, `sites`     HTML around the text (`skins/`)
- `exchanges`, `records`, `truth`   WARC records and the rows beside them
"""

from curation.sample.write import SampleSummary, write_sample

__all__ = ["SampleSummary", "write_sample"]
