"""360Learning: sign-in, integration, bulk operations, reading back."""
