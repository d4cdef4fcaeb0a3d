"""To the log: batches become records of Kafka, and are answered when Kafka has acknowledged all of them."""
