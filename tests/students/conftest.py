from toy_language_model import toy_tokenizer, toy_writer_dir  # noqa: F401
from toy_model import toy_model_dir  # noqa: F401
from toy_students import dataset, examples, new_model, pieces  # noqa: F401
