"""What is taken out of a raw data set, and why: pure measurements first, decisions second."""
