"""What servers tell each other comes in pieces, and each counts once."""

from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.stores.postgres.news import News, Reader


class ReaderTests(SynchronousTestCase):
    first, second = '1 5 0 more\n{}\n{"words":[["name/a', '1 5 1 end\nnn", "ann"]]}'
    short = '2 5 0 end\n{}\n{"words":[["name/bob", "bob"]]}'

    def read(self, *notifications: str) -> list[News]:
        """What a server understands."""
        reader = Reader(3)
        return [news for news in map(reader.read, notifications) if news is not None]

    def test_pieces_are_put_together(self) -> None:
        self.assertEqual(
            self.read(self.first, self.second, self.short),
            [
                News(1, 5, gone=[], words=[("name/ann", "ann")], logs=[]),
                News(2, 5, gone=[], words=[("name/bob", "bob")], logs=[]),
            ],
        )

    def test_a_piece_that_comes_twice_counts_once(self) -> None:
        self.assertEqual(
            self.read(*[self.first] * 2, *[self.second] * 2, *[self.short] * 2),
            self.read(self.first, self.second, self.short),
        )

    def test_so_do_all_pieces_that_come_twice(self) -> None:
        self.assertEqual(
            self.read(*[self.first, self.second] * 2), self.read(self.first, self.second)
        )

    def test_what_was_broken_off_is_forgotten(self) -> None:
        self.assertEqual(self.read(self.first, self.short), self.read(self.short))
