"""Everything that is wrong with COCO files and their images, ours or another's."""
