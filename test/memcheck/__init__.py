"""The extension's own tests while valgrind, or the sanitizers, look at memory."""
