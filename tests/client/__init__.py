"""The bundled client: what people, scripts and servers see of it."""
