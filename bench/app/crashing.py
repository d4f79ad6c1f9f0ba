"""A build that crashes at boot."""
raise RuntimeError("this build is broken")
