"""Qt only: shows core, never computes music."""
