// Each part is loaded where a page has use for it.
