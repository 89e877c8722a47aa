"""Which documents are good enough: measures of a text, rules over them, filters that rewrite text or look at URLs.

A measure is a function of one text to one number; a rule compares it with a threshold and has a reason; a filter is
rules in order, of which the first that fires decides. Thresholds live in recipes, never here. Its parts:

- `measure`     what a measure is, and the look-up by name or dotted path
- `measures/`   the shipped measures, one file for what they look at; a new one is a new file there
- `rules`       `Rule` and `RuleFilter`
- `evidence`    where in a text stands what a measure counts
- `c4`          C4's line filter, which rewrites the text
- `refinedweb_lines`, `symbol_lines`, `lines`   drop or correct lines
- `normalise`, `mend_text`   Unicode form and blanks; wrong decodings
- `bad_words`   word lists by language;  `word_trie` finds a list's entries in a text
- `url`         block lists and banned words for a document's address, `blacklists` of categories; `lists/` holds small lists
- `multilingual`  rules with words cut by each document's language; `fineweb2`, `fineweb2_thresholds`: thresholds by language
- `classifier`  scores by a linear model of one's own, `linear_model`
- `fasttext_classifier`, `transformer_classifier`, `perplexity`   scores by models of others
- `ensemble`    the best percentile bin of several scores
- `calibration`, `cutoff`   shares to keep become thresholds
- `datatrove_block`   any filter or formatter of datatrove as a step
"""
