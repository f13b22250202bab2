// Carries the precompiled header of GoogleTest that all suites share.
