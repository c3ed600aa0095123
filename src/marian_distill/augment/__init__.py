"""Rule-made English–Chinese pairs for money, coffee and travel."""
