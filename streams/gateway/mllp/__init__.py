"""HL7 v2 over MLLP: the minimal lower layer protocol of hospital interfaces."""
