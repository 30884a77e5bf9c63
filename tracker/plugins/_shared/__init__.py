"""What several analyses need, or one of them needs apart; nothing here is a plugin."""
