"""The two platforms and the ledger, as this project speaks to them."""
