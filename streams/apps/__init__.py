"""The Faust apps: `infer`, `sink` and `signals`."""
