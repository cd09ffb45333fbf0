"""The rules of docs/method.md, one file per kind of episode. Each yields observations or nothing, never a guess."""
