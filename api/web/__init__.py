"""Pages for people: server-rendered, usable without JavaScript, over the same registry functions."""
