"""The way into the library: imports, retrieval from archives, downloads, each at work behind the pages."""
