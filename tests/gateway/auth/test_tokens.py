"""Session ids and API tokens: random, stored as digests only."""

from gateway.auth.tokens import csrf_of, digest, new_session, new_token, same


def test_secrets_are_long_and_never_the_same() -> None:
    made = {make() for make in (new_session, new_token) for _ in range(100)}
    assert len(made) == 200
    assert min(map(len, made)) >= 43  # 256 bits in base64


def test_a_token_is_known_by_its_beginning() -> None:
    assert new_token().startswith("scst_")


def test_what_is_stored_says_nothing_of_the_secret() -> None:
    token = new_token()
    assert len(digest(token)) == 64
    assert token not in digest(token)
    assert digest(token) == digest(token)
    assert digest(token) != digest(token[:-1])


def test_each_session_has_its_own_csrf_token_which_is_not_its_digest() -> None:
    one, other = new_session(), new_session()
    assert csrf_of(one) == csrf_of(one)
    assert len({csrf_of(one), csrf_of(other), digest(one), one}) == 4


def test_any_text_can_be_compared() -> None:
    assert same(csrf_of("s"), csrf_of("s"))
    assert not same("", csrf_of("s"))
    assert not same("ä\ud800", csrf_of("s"))
