"""Expression and image to heatmap: Grad-CAM, primary word emphasis, iterative refinement."""
