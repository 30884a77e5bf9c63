"""From a ``Result`` to an annotated picture."""
