"""How often an encoder errs, measured on labelled samples: intervals, and a calibration."""
