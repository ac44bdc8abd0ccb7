"""How the built-in models were made; imported by nothing else."""
