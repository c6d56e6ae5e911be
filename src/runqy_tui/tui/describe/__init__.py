"""Objects in words: the sentence and the facts of each modal, as pure functions."""
