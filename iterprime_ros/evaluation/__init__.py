"""Evaluation of referring image segmentation: data sets, baselines, metrics and reports."""
