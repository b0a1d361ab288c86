"""What somebody complains of, as a reviewer reads it in a terminal or as JSON."""

from registry.misuse import Misuse


def rows(misuse: Misuse | None) -> list[tuple[str, str]]:
    """Names and values for a table; the statement is shown apart."""
    if misuse is None:
        return []
    rows = [("Misuse", ", ".join(misuse.kinds)), ("Territory", misuse.territory)]
    rows += [("Link", one) for one in misuse.links]
    rows += [("Seen at", misuse.place)] if misuse.place else []
    rows += [("Seen on", misuse.seen_on.isoformat())] if misuse.seen_on else []
    rows += [("File", f"{misuse.media.kind} {misuse.media.sha256}")] if misuse.media else []
    return rows


def document(misuse: Misuse | None) -> dict[str, object] | None:
    """The same for programs, named as in GraphQL."""
    if misuse is None:
        return None
    media = misuse.media
    return {
        "kinds": misuse.kinds,
        "territory": misuse.territory,
        "links": misuse.links,
        "whereSeen": misuse.place,
        "seenOn": misuse.seen_on,
        "media": None if media is None else {"kind": media.kind, "sha256": media.sha256},
    }
