"""What makes parts of this project out of other people's data."""
