"""Who calls: key sets, tokens, claims, principals."""
