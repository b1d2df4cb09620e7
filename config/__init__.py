"""What an environment may say: typed, checked before the first API call."""
