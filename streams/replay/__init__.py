"""History through the same fold as live events: whole work items, each folded once. Knows no store."""
