"""Readers of hostile bytes, given many bytes: nothing but an answer or an `InvalidEvent`, quickly, in little memory."""
