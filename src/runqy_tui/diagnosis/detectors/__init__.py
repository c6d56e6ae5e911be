"""The detectors: each module here declares some under ``@detector``, and all are found."""
