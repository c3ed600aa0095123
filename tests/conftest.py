from toy_training import datasets_cache, distill, toy_stage  # noqa: F401
