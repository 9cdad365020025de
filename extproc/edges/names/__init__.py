"""Names of people and places: found by a language model where one is installed, beside the event loop."""
