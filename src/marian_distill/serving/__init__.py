"""The translation server: queue and batches, limits, the dialects of its HTTP API. Neither torch nor transformers."""
