"""Draw annotated pictures, and figures for reports."""
