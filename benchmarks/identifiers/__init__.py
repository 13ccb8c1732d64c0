"""A yardstick for identifiers: made-up texts and columns that cover every written form, and what the rules make of them."""
