"""The live page: watch, draw lines and zones with the mouse, see the counts grow."""
