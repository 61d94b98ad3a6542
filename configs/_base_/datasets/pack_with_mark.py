# MMDetection's own keys and whether every lesion of the image is labelled, which the means
# against missing labels ask for. To be put last into a train pipeline.
pack_with_mark = dict(
    type='PackDetInputs',
    meta_keys=(
        'img_id',
        'img_path',
        'ori_shape',
        'img_shape',
        'scale_factor',
        'flip',
        'flip_direction',
        'fully_annotated',
    ),
)
