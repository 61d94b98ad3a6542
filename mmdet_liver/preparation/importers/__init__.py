"""From a data set's own layout to records, one module a layout, and to names nobody knows.

To add one: a function `import_NAME(folder, ...) -> Imported` in `NAME.py`, which writes
nothing and raises `InputError` for another layout (names as the export has them, paths
relative to the folder, boxes xyxy in pixels, a record for each lesion and each lesion-free
image), then a `FolderCommand` in `commands.py`. `import_folder` hashes the names and places
the images, the same for all.
"""
