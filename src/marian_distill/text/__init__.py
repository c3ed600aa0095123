"""Parallel text in: corpora, cleaning, the joint tokenizer, batches."""
