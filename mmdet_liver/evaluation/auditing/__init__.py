"""Missing and doubtful labels: found with predictions, handed to a reviewer, merged back."""
