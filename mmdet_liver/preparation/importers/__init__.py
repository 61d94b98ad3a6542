"""From a data set's own layout to records, one module a layout.

To add one: a function `import_NAME(folder, ...) -> list[Record]` in `NAME.py`, which writes
nothing and raises `InputError` for another layout (paths relative to the folder, boxes xyxy
in pixels, a record for each lesion and each lesion-free image), then a subcommand NAME in
`tools/prepare_data.py`. Checks, split and COCO files are the same for all importers.
"""
