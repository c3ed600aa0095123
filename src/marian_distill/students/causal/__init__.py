"""MiniQwen, a small decoder-only language model: Qwen3's classes of transformers, a tokenizer of `tokenizers`."""
