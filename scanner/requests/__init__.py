"""What the law lets a person ask for: access, deletion, and the proof of it."""
