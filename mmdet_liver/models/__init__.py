"""What registers into MODELS, TASK_UTILS and WEIGHT_INITIALIZERS."""
