"""Every way in, tried from outside."""
