"""`python -m twisted_chat.client`: the client, from a bare checkout too."""

from twisted_chat.client.main import main

main()
