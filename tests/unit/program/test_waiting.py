import pytest

from program.waiting import last_answer


@pytest.mark.parametrize(
    ("patience", "expected", "left"), [(60, "right", ["later"]), (0, "early", ["wrong", "right", "later"])]
)
def test_a_query_is_repeated_until_its_answer_is_right_or_the_time_is_over(
    patience: float, expected: str, left: list[str]
) -> None:
    answers = ["early", "wrong", "right", "later"]
    found = last_answer(lambda: answers.pop(0), lambda answer: answer == "right", patience=patience, pause=0)
    assert (found, answers) == (expected, left)
