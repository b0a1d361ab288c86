"""Journeys through the web pages in a real browser, each from the first page to the database."""
