"""Text for people: untrusted text made safe, numbers and ages, masked secrets, encodings."""
