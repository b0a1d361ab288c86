"""The GraphQL way in."""
