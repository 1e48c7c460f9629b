"""Proves that the comparison fails when it must: python3 -m unittest discover mock-server/tests/openbao"""

import unittest

from shape import answer, difference, spoiled, verdict

JSON = [("Content-Type", "application/json"), ("Date", "now")]


class Shapes(unittest.TestCase):
    def check(self, mock, word):
        """Compares an answer of the mock with a real one."""
        real = answer(200, JSON, b'{"a":{"b":[{"c":1}]},"d":null}')
        found = difference(real, answer(*mock))
        self.assertTrue(found is None if word is None else found and word in found, found)

    def test_values_and_other_headers_do_not_count(self):
        self.check((200, [*JSON, ("X", "y")], b'{"d":null,"a":{"b":[{"c":2},{"c":3}]}}'), None)

    def test_status_headers_and_keys_count_at_every_depth(self):
        body = b'{"a":{"b":[{"c":1}]},"d":null}'
        self.check((201, JSON, body), "status 201 instead of 200")
        self.check((200, [], body), "content-type")
        self.check((200, JSON, b'{"a":{"b":[{}]},"d":null}'), "a.b[].c")
        self.check((200, JSON, b'{"a":{"b":[{"c":1}]}}'), "'d'")
        self.check((200, JSON, b'{"a":{"b":[{"c":1}]},"d":null,"e":1}'), "'e'")
        self.check((200, JSON, b'{"a":{"b":[{"c":"1"}]},"d":null}'), "text")
        self.check((200, JSON, b"{"), "text")
        self.check((200, JSON, b""), "missing")

    def test_a_listed_difference_must_be_there_and_be_that_one(self):
        one, other, third = (answer(status, [], b"") for status in (200, 404, 500))
        listed = ("it is so", 200, 404)
        self.assertIsNone(verdict(one, other, listed))
        self.assertIn("and is not", verdict(one, one, listed))
        self.assertIn("[200, 404]", verdict(one, third, listed))
        self.assertIn("status", verdict(one, other, None))

    def test_every_spoiled_answer_is_another_one(self):
        real = answer(200, JSON, b'{"a":{"b":[{"c":1}]},"d":null}')
        all_ways = list(spoiled(real))
        self.assertEqual(len(all_ways), 1 + 1 + 1 + 1 + 2 * len(real.keys))
        for way in all_ways:
            self.assertIsNotNone(difference(real, way))


if __name__ == "__main__":
    unittest.main()
