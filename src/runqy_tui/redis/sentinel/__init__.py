"""A primary that is found and followed through Sentinels."""
