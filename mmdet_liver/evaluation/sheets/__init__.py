"""Sheets of test images with what was drawn and what was found."""
