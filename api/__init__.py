"""Every way in: GraphQL, plain HTTP and the command line."""
