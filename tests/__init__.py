"""Tests: few files, each a theme."""
