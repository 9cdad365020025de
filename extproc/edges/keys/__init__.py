"""Keys from outside: the token issuers' published key sets, and our own key ring for session handles."""
