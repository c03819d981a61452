"""HTTP/1.1 on raw sockets: it returns instants and responses, and records nothing."""
