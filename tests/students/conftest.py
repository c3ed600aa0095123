import torch

from toy_language_model import toy_tokenizer, toy_writer_dir  # noqa: F401

torch.set_num_threads(1)
