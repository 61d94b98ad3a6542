"""Sheets of test images with what was drawn and what was found.

contact_sheet shows a fair mix of images (chosen by tiles), worst the gravest findings
(found by findings); page, picture and labels are how both are drawn.
"""
