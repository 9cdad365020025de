"""What `extproc up` runs when it is given nothing: a sample MCP server, a token issuer, and an Envoy before them."""
