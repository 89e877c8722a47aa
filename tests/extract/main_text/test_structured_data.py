"""Text of JSON-LD, and when it is taken."""

from __future__ import annotations

import json

from curation.extract.fast_engine import main_text
from curation.extract.main_text.structured_data import MAX_TEXTS, structured_text

BODY = "The plant was seen by two botanists, who wrote a letter about it. " * 4


def script(content: object) -> bytes:
    return json.dumps(content).encode()


def test_bodies_are_found_wherever_they_stand() -> None:
    nested = {
        "@graph": [{"@type": "NewsArticle", "articleBody": BODY}, {"@type": "Review", "reviewBody": BODY.upper()}]
    }
    assert structured_text([script(nested)], "", 0) == f"{BODY.strip()}\n{BODY.upper().strip()}\n"


def test_descriptions_are_content_of_products_only() -> None:
    assert structured_text([script({"@type": "WebSite", "description": BODY})], "", 0) == ""
    assert structured_text([script({"@type": ["Product"], "description": BODY})], "", 0) == BODY.strip() + "\n"


def test_markup_and_references_in_values_are_resolved() -> None:
    value = "<p>One &amp;amp; two</p>" * 10
    assert structured_text([script({"text": value})], "", 0).split()[:3] == ["One", "&", "two"]


def test_what_the_page_has_already_is_not_said_twice() -> None:
    assert structured_text([script({"articleBody": BODY})], BODY, 10) == ""


def test_text_must_be_more_than_twice_what_was_found() -> None:
    words = len(BODY.split())
    assert structured_text([script({"text": BODY})], "x", words // 2) == ""
    assert structured_text([script({"text": BODY})], "x", words // 2 - 1) != ""


def test_broken_and_hostile_scripts_say_nothing() -> None:
    assert structured_text([b"{", b"\xff", b"[" * 100_000, b'{"text":' * 50_000], "", 0) == ""
    many = [{"text": f"{number} {BODY}"} for number in range(150)]
    assert len(structured_text([script(many), script(many)], "", 0).splitlines()) == MAX_TEXTS


def test_a_page_whose_text_is_only_there_has_it() -> None:
    page = b"<div id=app></div><script type='application/ld+json'>" + script({"articleBody": BODY}) + b"</script>"
    assert main_text(page) == BODY.strip() + "\n"


def question(name: str, *answers: str, accepted: bool = True) -> dict[str, object]:
    key = "acceptedAnswer" if accepted else "suggestedAnswer"
    return {"@type": "Question", "name": name, key: [{"@type": "Answer", "text": answer} for answer in answers]}


def test_questions_come_with_their_answers_however_short() -> None:
    page = {
        "@type": "FAQPage",
        "mainEntity": [question("Why?", "So."), question("When?", "Now.", "Soon.", accepted=False)],
    }
    assert structured_text([script(page)], "", 0).splitlines() == ["Why?", "So.", "When?", "Now.", "Soon."]


def test_a_question_without_answers_is_a_text_like_another() -> None:
    assert structured_text([script({"@type": "Question", "name": "Why?"})], "", 0) == ""
    assert structured_text([script({"@type": "Question", "text": BODY})], "", 0) == BODY.strip() + "\n"


def test_posts_and_their_comments() -> None:
    post = {"@type": "DiscussionForumPosting", "text": BODY, "comment": [{"@type": "Comment", "text": BODY.upper()}]}
    assert structured_text([script(post)], "", 0).splitlines() == [BODY.strip(), BODY.upper().strip()]


def test_recipes_step_by_step() -> None:
    section = {"@type": "HowToSection", "itemListElement": [{"@type": "HowToStep", "text": "Stir."}]}
    recipe = {
        "@type": "Recipe",
        "recipeIngredient": ["1 egg"],
        "recipeInstructions": [{"@type": "HowToStep", "text": "Beat it."}, section, "Eat."],
    }
    assert structured_text([script(recipe)], "", 0).splitlines() == ["1 egg", "Beat it.", "Stir.", "Eat."]


def test_scripts_in_comments_or_with_a_semicolon_are_read() -> None:
    content = json.dumps({"articleBody": BODY})
    for wrapped in (
        f"<!--\n{content}\n-->",
        f"//<![CDATA[\n{content}\n//]]>",
        f"/*<![CDATA[*/{content}/*]]>*/",
        f"{content};",
    ):
        assert structured_text([wrapped.encode()], "", 0) == BODY.strip() + "\n", wrapped[:12]
