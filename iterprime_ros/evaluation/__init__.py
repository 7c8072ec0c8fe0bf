"""How good the answers are: questions with known answers, measures, and reports."""
