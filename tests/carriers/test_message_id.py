"""One id in two spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.message_id import IdForms, candidate_ids, canonical_id, may_name_same, receipt_ids, same_handset
from config.schema import ReceiptIdForm

FORMS = [ReceiptIdForm.SAME, ReceiptIdForm.ANSWER_HEX, ReceiptIdForm.ANSWER_DECIMAL]


@pytest.mark.parametrize(
    ("answer", "receipt"),
    [
        ("00A1B2", "a1b2"),
        ("0e999f21", "0E999F21"),
        ("12345678901234567890", "12345678901234567890"),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", " 3F2504E0-4F89-11D3-9A0C-0305E82C3301"),
        ("0", "0000"),
    ],
)
def test_t91_case_zeros_and_spaces_do_not_matter(answer: str, receipt: str) -> None:
    assert canonical_id(answer) == canonical_id(receipt)
    assert candidate_ids(receipt, ReceiptIdForm.SAME) == (canonical_id(answer),)


def test_t91_an_id_that_looks_like_a_float_stays_text() -> None:
    assert canonical_id("0e999f21") == "e999f21"
    assert canonical_id("1e5") != canonical_id("100000")


@pytest.mark.parametrize(
    ("form", "answer", "receipt"),
    [
        (ReceiptIdForm.ANSWER_HEX, "0075BCD15", "123456789"),
        (ReceiptIdForm.ANSWER_DECIMAL, "123456789", "75bcd15"),
        (ReceiptIdForm.ANSWER_HEX, "ab54a98ceb1f0ad2", "12345678901234567890"),
    ],
)
def test_t91_hexadecimal_on_one_side_and_decimal_on_the_other(
    form: ReceiptIdForm, answer: str, receipt: str
) -> None:
    assert candidate_ids(receipt, form) == (canonical_id(answer),)
    assert canonical_id(answer) in candidate_ids(receipt, ReceiptIdForm.AUTO)
    assert may_name_same(answer, receipt)


def test_t91_an_id_that_cannot_be_in_the_form_set_is_tried_as_it_is() -> None:
    assert candidate_ids("ABC-1", ReceiptIdForm.ANSWER_HEX) == ("abc-1",)


@given(st.integers(0, 2**64), st.sampled_from(FORMS))
def test_t91_receipts_that_came_first_are_found_from_the_answer(number: int, form: ReceiptIdForm) -> None:
    receipt = f"{number:x}" if form is ReceiptIdForm.ANSWER_DECIMAL else str(number)
    (match_id,) = candidate_ids(receipt, form)
    assert receipt_ids(match_id, form) == (canonical_id(receipt),)
    assert canonical_id(receipt) in receipt_ids(match_id, ReceiptIdForm.AUTO)


@given(st.text(max_size=70))
def test_no_id_makes_it_raise(raw: str) -> None:
    first = (canonical_id(raw),) if raw.strip() else ()
    assert candidate_ids(raw, ReceiptIdForm.AUTO)[:1] == first
    assert receipt_ids(raw, ReceiptIdForm.AUTO)[:1] == first


@pytest.mark.parametrize("form", list(ReceiptIdForm))
def test_t52_a_blank_id_names_no_message(form: ReceiptIdForm) -> None:
    assert candidate_ids(" ", form) == receipt_ids("", form) == ()
    assert not may_name_same("", "")


def learn(forms: IdForms, count: int, start: int = 1_000_000) -> None:
    """Match `count` receipts of a carrier that answers in hexadecimal and reports in decimal."""
    for number in range(start, start + count):
        forms.matched(str(number), f"{number:x}")


def test_t91_the_form_is_learned_from_what_matches() -> None:
    forms = IdForms()
    assert forms.candidates("255") == ("255", "ff", "597")
    learn(forms, 5)
    assert forms.learned is ReceiptIdForm.ANSWER_HEX
    assert forms.candidates("255") == ("ff",)
    assert forms.early("FF") == ("255",)


def test_t91_a_match_that_several_forms_explain_teaches_nothing() -> None:
    forms = IdForms()
    for digit in range(10):
        forms.matched(str(digit), str(digit))
    assert forms.learned is None


def test_t91_one_chance_match_of_another_form_starts_the_count_again() -> None:
    forms = IdForms()
    learn(forms, 4)
    forms.matched("1000", "1000")
    learn(forms, 4)
    assert forms.learned is None
    learn(forms, 1)
    assert forms.learned is ReceiptIdForm.ANSWER_HEX


def test_t91_a_form_set_by_the_operator_is_not_unlearned() -> None:
    forms = IdForms(ReceiptIdForm.SAME)
    learn(forms, 10)
    assert forms.candidates("255") == ("255",)


def test_t91_a_carrier_that_changes_its_habit_is_learned_anew() -> None:
    forms = IdForms()
    learn(forms, 5)
    for _ in range(99):
        forms.missed()
    assert forms.learned is ReceiptIdForm.ANSWER_HEX
    forms.missed()
    assert forms.candidates("255") == ("255", "ff", "597")


def test_misses_only_count_in_a_row() -> None:
    forms = IdForms()
    learn(forms, 5)
    for _ in range(150):
        forms.missed()
        forms.missed()
        forms.matched("255", "ff")
    assert forms.learned is ReceiptIdForm.ANSWER_HEX


def test_t92_two_channels_learn_apart() -> None:
    one, other = IdForms(), IdForms()
    learn(one, 5)
    assert one.candidates("255") == ("ff",)
    assert other.candidates("255") == ("255", "ff", "597")


@pytest.mark.parametrize(
    "source", ["60123456789", "+60123456789", "0060123456789", "0123456789", "123456789", ""]
)
def test_a_receipt_from_the_handset_is_recognised_however_the_carrier_writes_it(source: str) -> None:
    assert same_handset(source, "60123456789")


@pytest.mark.parametrize("source", ["60123456780", "0123456780", "8618500000123"])
def test_another_handset_is_told_apart(source: str) -> None:
    assert not same_handset(source, "60123456789")
