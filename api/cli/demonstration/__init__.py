"""The parts of `likeness demo`: a real server, people with consents, and questions about them."""
