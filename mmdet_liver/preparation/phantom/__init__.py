"""A raw hospital export that never saw a patient: simulated liver ultrasound with known truth.

patients (who and what) -> anatomy, lesions (echo of the tissue, in millimetres) -> views
(where the probe stands) -> sector, ultrasound (speckle, compression, scan conversion) ->
marks (burned in) -> export (images, manifest.csv, truth.csv). No real image is in it.
"""
