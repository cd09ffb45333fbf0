"""The same two jobs on a real Kafka, done by Tieline and by what else one would have built it on."""
