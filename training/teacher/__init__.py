"""2D talking faces that teach the student: a mouth on film for a piece of speech."""
