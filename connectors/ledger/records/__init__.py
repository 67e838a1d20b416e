"""The ledger's records, a module for each table or two."""
