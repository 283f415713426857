"""What leaves the app as a file: case sets and tables. Values in, bytes out: it knows neither store nor screen."""
