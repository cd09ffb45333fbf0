"""The embedded default: broker, store and apps as child processes of one machine, without containers."""
