"""YourMT3+: convolutions, a Perceiver over time and frequency, and one decoder for 13 channels."""
