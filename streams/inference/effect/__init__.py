"""What an intervention changed: interrupted time series of one tie's periods. Pure: equal input has an equal answer.

`effect.effect_of` is the entrance. It simulates with a fixed seed, so it is a function of its arguments like the rest
of the inference. Method and its validation: docs/method/effects.md.
"""
