"""Students, their initialisation, the distillation losses and the trainer."""
