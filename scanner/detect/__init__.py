"""Batches in, findings out; never opens a source."""
