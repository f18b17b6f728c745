"""The check functions: one module an area, one generator a rule, named as its file in `rules/<area>/`."""
