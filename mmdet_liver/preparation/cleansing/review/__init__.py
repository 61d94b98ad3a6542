"""`OUT/review/`: pictures of what the cleansing did, for the person who checks it.

    index.html                          what there is, with counts and links: open this
    clusters/page_0001.png              near-duplicates side by side, contradicting ones first
    marks/<kind>/page_0001.png          before, mask, after
    left_out/<step>/page_0001.png       each image left out, with the reason
    flagged/<step>, converted/<step>, cleaned/<step>, train_only/<step>
    distances.png, sizes.png            where the two thresholds lie in the data

The pictures show images as they came, with the text that was burned in: the folder is for
those who may see the export, not to be handed on with the data set.
"""

from mmdet_liver.preparation.cleansing.review.facts import Distances, ReviewImage, SizeRule
from mmdet_liver.preparation.cleansing.review.writing import write_review

__all__ = ['Distances', 'ReviewImage', 'SizeRule', 'write_review']
