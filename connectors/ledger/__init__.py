"""What 360Learning has accepted, what is under way, what was rejected."""
