"""One Apache Kafka broker on loopback, from Maven Central: for tests and for trying the real thing."""
