"""What is known of commands, as tables: each name that may be a query stands in one of them and was looked at."""
