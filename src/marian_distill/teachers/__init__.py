"""What teachers say: corpora that they translated."""
