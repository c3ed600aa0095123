"""Corpora larger than the disk: shards of labels or logits are made, trained on and deleted, one after another."""
