"""The study's metric. Pure numpy; only `metrics/` touches mmengine."""
