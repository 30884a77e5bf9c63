"""The subcommands of ``track``: one file each, imported when used."""
