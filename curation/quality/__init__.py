"""Which documents are good enough: measures of a text, rules over them, filters that rewrite text or look at URLs.

A measure is a function of one text to one number; a rule compares it with a threshold and has a reason; a filter is
rules in order, of which the first that fires decides. Thresholds live in recipes, never here. Its parts:

- `measure`     what a measure is, and the look-up by name or dotted path
- `measures/`   the shipped measures, one file for what they look at; a new one is a new file there
- `rules`       `Rule` and `RuleFilter`
- `c4`          C4's line filter, which rewrites the text
- `url`         block lists and banned words for a document's address; `lists/` holds small lists of our own
- `classifier`  scores by a trained model
"""
