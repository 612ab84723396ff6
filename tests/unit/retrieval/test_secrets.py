"""What is masked before a text goes to somebody else's server, and what code keeps its texts."""

import random
import string

import pytest

from fimserver.retrieval.secrets import MASK, mask_secrets

# Put together here, so that no scanner of this repository takes them for real ones.
HEXADECIMAL = "0123456789abcdef" * 4
LETTERS = "aB3dE5gH7jK9mN1pQ2sT4vX6zA8cF0hL"

MASKED = {
    "a token of GitHub": f"token: ghp_{LETTERS}abcd",
    "a token of GitLab": f"glpat-{LETTERS[:20]}",
    "a key of Amazon": "AWS_KEY = AKIA" + "ABCDEFGH12345678",
    "a key of Google": f"'AIza{LETTERS}abc'",
    "a key of Stripe": f"sk_live_{LETTERS[:24]}",
    "a key of OpenAI": f"sk-proj-{LETTERS}",
    "a hook of Slack": f"https://hooks.slack.com/services/{LETTERS[:24]}",
    "a signed web token": f"eyJ{LETTERS[:20]}.eyJ{LETTERS[:20]}.{LETTERS}",
    "a password behind its name": 'password = "hunter2!"',
    "a password in a dictionary": '{"db_password": "correct-horse"}',
    "a password in an environment file": "SECRET_KEY=a8f5f167f44f4964e6c998de",
    "a password in an address": "postgres://ada:lovelace99@db.example/shop",
    "a header": "Authorization: Bearer abcdef0123456789",
    "a key to a storage account": f"AccountKey={LETTERS}==;",
    "random letters in quotes": f'x = "{LETTERS}"',
    "random hexadecimal in quotes": f'x = "{HEXADECIMAL}"',
    "a private key": f"-----BEGIN RSA PRIVATE KEY-----\n{LETTERS}\n-----END RSA PRIVATE KEY-----",
    "a private key cut off at its end": f"-----BEGIN PRIVATE KEY-----\n{LETTERS}\n{LETTERS}",
    "a private key cut off at its beginning": f"{LETTERS}\n{LETTERS}\n-----END PRIVATE KEY-----",
}
KEPT = [
    "password = input()",
    "password: str = ''",
    "token = None",
    'password = "<your password>"',
    "api_key = os.environ['API_KEY']",
    "secret = settings.secret",
    'title = "correct horse battery staple"',
    'name = "a_rather_long_identifier_in_quotes"',
    "def check_password(password, token): ...",
    "commit 2bd023c",
    'password = "${DB_PASSWORD}"',
    "https://docs.example.org/a/b?c=d",
    "-----BEGIN CERTIFICATE-----",
    'passwords = ["one two", "three four"]',
]


@pytest.mark.parametrize("text", MASKED.values(), ids=MASKED)
def test_masks(text: str) -> None:
    masked = mask_secrets(text)
    assert MASK in masked
    for part in (LETTERS, LETTERS[:20], HEXADECIMAL, "hunter2!", "correct-horse", "lovelace99", "abcdef0123456789"):
        assert part not in masked
    assert mask_secrets(masked) == masked, "masking again changes nothing"


@pytest.mark.parametrize("text", KEPT)
def test_keeps(text: str) -> None:
    assert mask_secrets(text) == text


@pytest.mark.parametrize("seed", range(20))
def test_lines_are_neither_added_nor_lost_but_in_a_key(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choices(string.ascii_letters + string.digits + " =:'\"\n/_-@.", k=3_000))
    assert mask_secrets(text).count("\n") == text.count("\n")
