"""What a reviewer should look at first, from ground truth and predictions alone."""
