"""How far the numbers can be trusted: the bootstrap, with patients drawn where they are known.

units (what is drawn) -> resamples (how often each image was drawn) -> counts, runs,
readings (the numbers of each resample) -> intervals (of one evaluation), comparison (A - B).

Cluster bootstrap, percentile intervals: Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, chapters 8 and 13; Davison and Hinkley, 1997, section 3.8.
"""
