"""Inference: joins the stages from sound to notes."""
