"""From a recipe to a run: a plan, two passes and the stage between them, on any engine, and the run's closing.

- `plan`         what is to be done, and the digest that names it
- `refine`       first pass: a split's records become survivors, keys and ledger rows
- `reading`      a split's records as document batches
- `tally`        counts and clocks of a pass's steps, and the documents that ended
- `at_risk`      finds a document that kills its worker
- `deduplicate`  the stage between the passes: keys become a list of duplicates for each split; `dedup_account` tells its cost
- `removal_rates`, `removal_alarm`  how much that took of each source, language and domain
- `repeated_spans`  sentences, lines and paragraphs that occur more than once
- `indexing`     what a run kept, as an index for later runs
- `survivors`    what the first pass let through, read back
- `vocabulary`   trains the run's tokenizer where the recipe asks for one
- `finish`       second pass: survivors become shards, documents and ledger rows
- `close`        the run's balance and its manifest
- `curate`       all of it in order; the one entry for jobs and library
- `table`        a recipe's filters over a table, a frame or a Spark DataFrame, without a run
- `explain`      what a recipe does, step by step
- `try_document` one document through every step, past the first verdict
- `edited_lines` which lines a step edits, and why
- `step_rules`   the rules over measures that a step applies
- `fired`        how often each rule decided
- `compiling`    all kernels compiled, once a machine
- `progress`     what a person sees meanwhile
"""
