"""Kernels of training: `alignment` of two texts' words, `descent` of the logistic regression."""
