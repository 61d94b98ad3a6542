# The pixels that every backbone sees, pretraining included: a network pretrained on other
# statistics is not the one that is loaded. RGB, 0..255; ImageNet's, so that its weights fit too.
pixel_mean = [123.675, 116.28, 103.53]
pixel_std = [58.395, 57.12, 57.375]
