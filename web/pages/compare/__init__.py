"""The page that compares trainings: comparison and leaderboard."""
