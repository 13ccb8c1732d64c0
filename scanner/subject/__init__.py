"""One person: who she is, every record of hers, and why it is hers."""
