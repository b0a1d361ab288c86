"""From media bytes to what can be compared, in processes that may be killed."""
