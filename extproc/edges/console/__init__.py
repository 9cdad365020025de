"""Where humans answer: a small HTTP API, and one page for each request that waits."""
