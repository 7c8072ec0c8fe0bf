"""How a parsed command becomes an answer: read off one heatmap, or reasoned part by part."""
