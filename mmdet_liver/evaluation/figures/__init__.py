"""Figures of an evaluation, one module each; all look alike through `drawing`."""
