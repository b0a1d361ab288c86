"""The GraphQL way in: a schema, its resolvers and the view that serves it."""
