"""The models that can be had, getting them safely, and where they lie. No torch here."""
