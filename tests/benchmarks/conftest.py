from toy_chat import toy_chat_ct2_dir, toy_chat_dir  # noqa: F401
from toy_model import toy_ct2_dir, toy_model_dir  # noqa: F401
