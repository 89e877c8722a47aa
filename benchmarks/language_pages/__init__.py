"""Composed pages in eight languages with known main text: phrases of our own in templates after real sites' markup.

`phrases/`     a file a language: sentences by topic, labels of menus and notices, names, products, replies of readers
`templates/`   a page's markup each; what stands in `{{=slot}}` is main text, what stands in `{{slot}}` is not
`templates`    fills templates
`composing`    draws what a page says
"""
