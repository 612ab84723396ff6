"""The engine: the seam everything else sees, the client's side of it, and the process that owns a model."""
