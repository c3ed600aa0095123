"""Marian students: `MarianMTModel` of transformers (Junczys-Dowmunt et al. 2018, "Marian")."""
