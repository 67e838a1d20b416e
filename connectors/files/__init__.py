"""Files that people keep beside us: settings, secrets, tables of addresses."""
