"""How fast rdsinit is: README.md says what is measured."""
