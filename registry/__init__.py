"""What is true of consent, however it is asked about."""
