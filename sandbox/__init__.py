"""The sandbox: both platforms played on loopback, with state, over real HTTP."""
