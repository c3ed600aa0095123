import pytest

from marian_distill.teachers.filters import first_fault


@pytest.mark.parametrize(
    ("source", "translation", "language", "fault"),
    [
        ("I want tea.", "我想要茶。", "zh", ""),
        ("I want tea.", "我想喝這杯茶。", "zh", "traditional"),
        ("It says 這杯茶.", "上面写着“這杯茶”。", "zh", ""),
        ("I want tea.", "我想要**茶**。", "zh", "markup"),
        ("I want tea.", "- 我想要茶。", "zh", "markup"),
        ("I want tea.", "<b>我想要茶。</b>", "zh", "markup"),
        ("I want tea.", "我想要{drink}。", "zh", "markup"),
        ("Press <b>OK</b>.", "按<b>好</b>。", "zh", ""),
        ("I want tea.", "我想要茶。\n我想喝茶。", "zh", "explanation"),
        ("One.\nTwo.", "一。\n二。", "zh", ""),
        ("I want tea.", "作为一个人工智能，我不能喝茶。", "zh", "refusal"),
        ("我想要茶。", "As an AI, I can not drink tea.", "en", "refusal"),
        ("As an AI, I drink nothing.", "作为一个人工智能，我什么都不喝。", "zh", ""),
        ("我很抱歉，但我必须走了。", "I'm sorry, but I have to go.", "en", ""),
        ("我想要茶。", "I want 一杯 tea.", "en", "mixed_language"),
        ("I want tea with oat milk.", "我想要 tea with oat milk。", "zh", "mixed_language"),
        ("I like the New York Times.", "我喜欢New York Times。", "zh", ""),
        ("我想要茶。", "お茶をください。", "en", "other_language"),
        ("I want tea.", "차 주세요.", "zh", "other_language"),
        ("我想要茶。", "Je veux du thé avec le lait et les gâteaux.", "en", "other_language"),
    ],
)
def test_what_is_no_translation(source, translation, language, fault):
    assert first_fault(source, translation, language) == fault
