"""Language models as teachers: prompts, the engines and servers that answer them, what an answer is cleaned of."""
