"""The tests: sentences about people and what they see."""
