"""Hooks: stepwise unfreezing of the backbone, collapse monitor of the pretraining."""
