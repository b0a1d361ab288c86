"""Pages for people: server-rendered, usable without JavaScript, on the registry's own functions."""
