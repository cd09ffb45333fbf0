"""The two Faust apps, `infer` and `sink`."""
