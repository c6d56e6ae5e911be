"""The live monitor without a screen: the background poller and the store of its latest result."""
