"""The sections of the report, one file each: findings in, a section out."""
