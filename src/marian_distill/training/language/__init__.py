"""Training on text: a language model, from options to a folder that is whole."""
