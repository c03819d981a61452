"""Runs on disk: written once a second while they go on, read again at any time. The file is also the journal."""
