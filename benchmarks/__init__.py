"""How fast the chat is, beside others, measured on the reader's own machine."""
