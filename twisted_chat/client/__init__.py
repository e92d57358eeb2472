"""The bundled client: a terminal, or a pipe, that speaks structured lines to the server."""
