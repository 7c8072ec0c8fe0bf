"""Image and heatmap to candidate masks, and the choice among them."""
