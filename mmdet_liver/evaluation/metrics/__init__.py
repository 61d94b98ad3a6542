"""Thin adaptors of the evaluation for MMEngine's test loop."""
