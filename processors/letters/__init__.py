"""Dead letters in the database: finding them, and sending what was mended again."""
