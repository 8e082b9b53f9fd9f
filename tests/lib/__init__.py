"""What the tests share: the real server as a process, a checked HTTP client, HLS, media."""
