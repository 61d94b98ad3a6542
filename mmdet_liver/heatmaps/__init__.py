"""Heat maps to look at: what CenterNet should predict on an image, and what it does predict.

maps (the arrays and the numbers read off them), choosing (which images), reading (from a
model and its data set), blending and sheet (the picture), checkpoint (all of it for a file).
"""
