"""Every private name of Textual and Rich that the program uses, each checked at start.

Textual has no public way to replace what draws a frame, the timer of a screen, the signal handling
of its terminal driver or its toasts. The private names for that are used in this package and
nowhere else: other modules override public methods of the hooked classes, or call functions.
"""
