"""The COCO data set of the four diagnoses, and pipeline transforms."""
