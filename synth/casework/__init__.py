"""Cases to be read: drawn, gathered, dealt to readers, and what they answered. Knows the store, never the screen."""
