from toy_language_model import toy_prompted_dir, toy_tokenizer, toy_writer_ct2_dir, toy_writer_dir  # noqa: F401
from toy_model import toy_bundle_dir, toy_ct2_dir, toy_model_dir  # noqa: F401
