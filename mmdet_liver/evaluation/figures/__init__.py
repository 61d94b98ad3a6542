"""Figures of an evaluation, one module each.

drawing (size, saving, legend), fonts (what can be written) and classes (colour and line of
each class) are what they share; every `draw_...` writes one PNG.
"""
