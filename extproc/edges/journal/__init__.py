"""One append-only, hash-chained file of audit events for each worker: written, recovered, read, verified."""
