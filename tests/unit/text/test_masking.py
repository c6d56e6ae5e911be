"""Secrets that programs print by accident are hidden; what only looks alike stays readable."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runqy_tui.text.masking import mask

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\nxyz==\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"

HIDDEN = [
    ("redis://:hunter2@redis:6379/0", "redis://:***@redis:6379/0"),
    ("postgres://bob:p@ss/w0rd@db/x", "postgres://bob:***@db/x"),
    ("amqp://a:one@h1,amqp://b:two@h2", "amqp://a:***@h1,amqp://b:***@h2"),
    ("https://ghs0123456789abcdef@github.com/x", "https://***@github.com/x"),
    ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
    ("{'Authorization': 'Basic dXNlcg==', 'a': 1}", "{'Authorization': 'Basic ***', 'a': 1}"),
    ('{"authorization":"Token t0"}', '{"authorization":"Token ***"}'),
    ("Authorization: s3cr3t for bob", "Authorization: *** for bob"),
    ("sent Bearer abcdef123456 twice", "sent Bearer *** twice"),
    ("Cookie: a=b; sid=1", "Cookie: ***"),
    ("key AKIAIOSFODNN7EXAMPLE denied", "key *** denied"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MD+bPx", "aws_secret_access_key = ***"),
    ("password=hunter2, user=bob", "password=***, user=bob"),
    ("PGPASSWORD=x psql", "PGPASSWORD=*** psql"),
    ("connect(password='hunter 2', n=1)", "connect(password='***', n=1)"),
    ("{'db_password': 'a b', 'n': 1}", "{'db_password': '***', 'n': 1}"),
    ('{\\"password\\": \\"abc\\", \\"n\\": 1}', '{\\"password\\": \\"***\\", \\"n\\": 1}'),
    ('password: "it is \\"quoted\\" inside" end', 'password: "***" end'),
    ('password: "its end was cut', 'password: "***'),
    ("config['api_key'] = 'xyz'", "config['api_key'] = '***'"),
    ("?api_key=abc&x=1", "?api_key=***&x=1"),
    ("x-api-key: 123", "x-api-key: ***"),
    ("token: abc", "token: ***"),
    ("token: Bearer abc", "token: Bearer ***"),
    ("HF_TOKEN=abc", "HF_TOKEN=***"),
    ("client_secret_v2: xyz", "client_secret_v2: ***"),
    ("--password hunter2 --x", "--password *** --x"),
    ("Incorrect API key provided: sk-proj-abcdefghijklmnop.", "Incorrect API key provided: ***."),
    ("push with ghp_0123456789abcdefghij failed", "push with *** failed"),
    ("invalid token 0123456789abcdef0123456789abcdef", "invalid token ***"),
    ("GET https://s3/x?X-Amz-Signature=abc1&y=1", "GET https://s3/x?X-Amz-Signature=***&y=1"),
    (f"jwt {JWT} expired", "jwt *** expired"),
    (f"jwt {JWT[:24]}", "jwt ***"),
    (f"a\n{KEY}\nb", "a\n***\n***\n***\n***\nb"),
    (f"a {KEY[:38]}\nand so on: 1", "a ***\n***\nand so on: 1"),
    (f"MIIEabcdefghijklmnop12\n{KEY[-29:]}\nb", "***\n***\nb"),
    (f"pem='{KEY}' n=1".replace("\n", "\\n"), "pem='***' n=1"),
]

SHOWN = [
    "max_tokens: 4096",
    "prompt too long (4097 > 4096 tokens)",
    "tokenizer=llama",
    "token: null",
    'password: ""',
    "KeyError: 'password'",
    "password is wrong for user bob",
    "unexpected token: }",
    "Unexpected token < in JSON at position 0",
    "bearer authentication failed",
    "ssh://git@github.com/x",
    "http://host:8080/a?mail=a@b.c",
    "token file /var/run/secrets/kubernetes.io/serviceaccount/token missing",
    "max tokens exceeded for request 550e8400-e29b-41d4-a716-446655440000",
    "task 550e8400-e29b-41d4-a716-446655440000 failed",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "",
]


@pytest.mark.parametrize(("text", "expected"), HIDDEN)
def test_hidden(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize("text", SHOWN)
def test_shown(text: str) -> None:
    assert mask(text) == text


_PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from([text for text, _ in HIDDEN] + SHOWN),
    st.sampled_from(
        [*":@=\"'\\\n /,&", "://", "***", "token", "secret", "password", "bearer", "authorization"]
    ),
    st.sampled_from(["cookie: ", "--password ", "eyJ", "AKIA", "?key=", "a1" * 12, "null"]),
    st.sampled_from(
        ["-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"],
    ),
)


@given(st.lists(_PIECES, max_size=12).map("".join))
@example("x://token=a@b")
@example("token=secret=password=x")
@example("token: bearer bearer x")
def test_to_mask_twice_is_to_mask_once_and_lines_stay_lines(text: str) -> None:
    once = mask(text)
    assert mask(once) == once
    assert once.count("\n") == text.count("\n")


FORMS = [
    "redis://u:{}@h/0",
    "password={}",
    "token: '{}'",
    '{{"api_key": "{}"}}',
    "secret={}, b",
    "Authorization: Bearer {}",
    "--token {}",
    "DB_PASSWORD='{}'",
    "pwd: {} end",
]
_SECRET = st.text("abcdefghijklmnopqrstuvwxyzABCDEFXYZ0123456789-_.", min_size=6, max_size=40)


@given(
    _SECRET.map(lambda secret: f"Zq{secret}9"),
    st.sampled_from(FORMS),
    st.text("abc xyz\n\t(){}", max_size=20),
)
def test_no_secret_is_left(secret: str, form: str, around: str) -> None:
    assert secret not in mask(f"{around} {form.format(secret)} {around}")


@pytest.mark.parametrize(
    "seed",
    ["token", "token ", "token: ", "secret_", "password='", "://a:", "://", "eyJ", "bearer ", "\\",
     "authorization: ", "--password ", "cookie: ", "-----BEGIN PRIVATE KEY-----", "a1", "@", '"',
     "-----END PRIVATE KEY-----\n", "A" * 30 + "\n", "?key=", "-", "key-", "AKIA", "sk-", "=", "_"],
)  # fmt: skip
def test_the_time_is_linear(seed: str) -> None:
    text = (seed * 100_000)[:100_000]
    started = perf_counter()
    mask(text)
    assert perf_counter() - started < 2.0
