"""Command text to action verb, referring expression, primary word and focus words."""
