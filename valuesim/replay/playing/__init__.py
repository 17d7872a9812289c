"""What is played from the page, and who plays: `plays` keeps all, `seat` asks a person."""
