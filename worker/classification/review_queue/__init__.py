"""The file of uncertain answers that a person should look at, and its pictures."""
