"""From a raw hospital export to COCO files. Needs numpy, OpenCV and Pillow; never torch."""
