"""What is measured besides the study's F1: pure numpy functions, one module each.

operating_points   precision, recall and F1 at every score; the exact best threshold
calibration        does a score of 0.8 mean right in 8 of 10: reliability, ECE
froc               sensitivity against false positives per image
roc                area under the ROC curve, weighted
malignancy         benign against malignant
levels             sensitivity and specificity by image and by patient
over_detections    per image, lesion-free image and patient
strata             the table for parts of the data
average_precision  COCO AP, and AP at IoU 0.10 and 0.25
error_types        what kind of error costs how much
claiming, rates    what several of these share

A measure with an interval takes image weights (R, N): how often each of N images was
drawn in each of R resamples; `np.ones((1, N))` gives the point estimate. A rate whose
denominator is 0 is NaN.
"""
