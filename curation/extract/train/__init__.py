"""Fitting the weights of the engine `fast` to annotated pages. See docs/extraction.md, "Training".

    python -m curation.extract.train.gather WCXB SCRAPINGHUB OUT           the public sets into one folder
    python -m curation.extract.train DATA --weights FILE --folds-to FOLDER

In the order in which pages meet them:

`gather`            checkouts of the public sets into the format of `gold`
`gold`              annotated pages of a folder
`domains`           registered domains, and the fold that each belongs to
`labels`            the share of each block that is main text, by alignment with the annotated text
`corpus`            all pages, cut into blocks by the engine's own kernels, with their labels
`linear_weights`    logistic regression over hashed words
`boosted_trees`     LightGBM's trees, as the engine packs them
`stages`            all weights, fitted to all folds but one
`cross_validation`  the texts of pages by weights that have seen nothing of their domains
`text_overlap`      how near a text is to the annotated one
`calibration`       from expected to measured quality
`provenance`        what the weights come from, in words
`weights_file`      the same weights, the same bytes
`kernels`           alignment, and the loop of the regression

Rows, scores and decisions are those of `curation.extract.main_text.kernels.deciding`: what is fitted is what runs.
"""
