"""The shipped measures, one module for what they look at: `shipped()` finds every `Measure` in every module here.

A new measure is a function with `@measure(...)` in one of these files or in a new one; no list has to be edited.
"""
