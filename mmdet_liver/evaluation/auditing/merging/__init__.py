"""What a reviewer drew in Label Studio or CVAT, merged into the ground truth."""
