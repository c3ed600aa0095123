from toy_chat import toy_chat_dir  # noqa: F401
from toy_training import run_script  # noqa: F401
