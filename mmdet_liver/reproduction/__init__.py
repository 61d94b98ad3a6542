"""A grid of configs, seeds and folds: trained, tested and put into one table.

grid (what is asked for) -> folds (the data of each fold) -> plan (steps, their commands and
what they depend on) -> running (subprocesses, resumable) -> outcomes (what finished runs
left) -> pooling (one bootstrap over all folds and seeds) -> content, figures, page.

Nothing here imports torch or mmdet; every training and test is a process of its own.
"""
