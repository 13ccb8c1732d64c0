"""What trains the model of names: text of the registers that public corpora lack."""
