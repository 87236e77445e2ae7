"""Networks that only training and measuring use; what the app runs lives in l2t.models."""
