"""The engine `fast`: main text by fitted weights, from bytes, without a tree of objects. See docs/extraction.md.

`extractor`        bytes to text
`workspace`        the arrays it works in
`weights`          the fitted weights that ship
`structured_data`  text that is only in JSON-LD
`markdown`         the main text as Markdown
`kernels`          everything that is done to every byte, element or block
"""
