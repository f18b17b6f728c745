"""What the API server refuses although its schema allows it: restated from Kubernetes' own validation code.

One module for an API group (or what belongs together), one generator for a mistake; the checks of the same rules
hand over to them. What a single field decides is data: `schemas/kubernetes/constraints/`.

The server tests an object after it has filled in its defaults, so a default counts as written here. What is known only
after rendering is never wrong.
"""
