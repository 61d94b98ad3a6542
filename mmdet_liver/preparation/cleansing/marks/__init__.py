"""What a scanner burns into its images: finding it, kind by kind, and removing it."""
