"""Special categories of personal data, said of a person or not."""
