"""The transport, on Tansu and on Apache Kafka."""
