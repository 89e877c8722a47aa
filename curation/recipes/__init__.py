"""Recipes: the steps of a run in order, thresholds as data.

- `model`   what a recipe may say
- `load`    a YAML file, or the name of a shipped recipe, to the model; mistakes in one line
- `lookup`  filter steps by name or dotted path
- `*.yaml`  the shipped recipes, one file each
"""
