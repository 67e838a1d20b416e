"""What people ask the ledger for, across its tables; nothing here is written."""
