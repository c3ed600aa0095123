"""Slots over localised facts, which come from Unicode CLDR (https://cldr.unicode.org) by way of Babel.

Currencies, countries, languages, months, weekdays, dates and parts of the day; no name of one is written down here.
"""

import datetime
import random

from babel import Locale
from babel.dates import (
    format_date,
    format_skeleton,
    format_time,
    get_day_names,
    get_month_names,
    get_period_id,
    get_period_names,
)
from babel.numbers import get_currency_name

from marian_distill.augment.grammar import Slot, Value, closed, one

EN, ZH = Locale("en"), Locale("zh", "Hans")

COUNTRY_CODES = "CN JP KR TH SG MY VN IN FR DE IT ES PT CH AU CA NZ EG BR MX RU GR SE NO US GB NL"
COUNTRIES_WITH_ARTICLE = {"US", "GB", "NL"}
LANGUAGE_CODES = "en zh ja ko fr de es it ru pt ar th"

FIRST_DAY, DAYS = datetime.date(2024, 1, 1), 3287  # nine years


def currency_name(code: str) -> str:
    """Chinese name of an ISO 4217 currency: `USD` → 美元."""
    return get_currency_name(code, locale=ZH)


def currency_words(code: str) -> str:
    """English plural name of a currency: `USD` → US dollars."""
    return get_currency_name(code, count=2, locale=EN)


def currency_slot(codes: list[str]) -> Slot:
    """Currencies by name: US dollars 美元."""
    return closed([one(currency_words(code), currency_name(code)) for code in codes])


def _country(code: str) -> Value:
    article = "the " if code in COUNTRIES_WITH_ARTICLE else ""
    return one(article + EN.territories[code], ZH.territories[code])


COUNTRY = closed([_country(code) for code in COUNTRY_CODES.split()])
LANGUAGE = closed([one(EN.languages[code], ZH.languages[code]) for code in LANGUAGE_CODES.split()])
MONTH = closed([one(get_month_names(locale=EN)[n], get_month_names(locale=ZH)[n]) for n in range(1, 13)])
WEEKDAYS = [
    one(en, zh, many=(f"{en}s", zh), next=(f"next {en}", f"下{zh}"))
    for en, zh in ((get_day_names(locale=EN)[n], get_day_names(locale=ZH)[n]) for n in range(7))
]
WEEKDAY = closed(WEEKDAYS)


def date_value(day: datetime.date, form: str) -> Value:
    """A date as `iso` (2026-04-20, kept to the character), `long`, `month_day`, `day_month` or `weekday`.

    The same day of the year has one key in all forms and years: April 20 is not unseen when 2026-04-20 was trained on.
    """
    iso, month, number, year = day.isoformat(), format_date(day, "LLLL", EN), str(day.day), str(day.year)
    month_day = format_skeleton("MMMMd", day, locale=ZH)
    weekday_en, weekday_zh = format_date(day, "EEEE", EN), format_date(day, "EEEE", ZH)
    english, chinese, keep_in_en, keep_in_zh = {
        "iso": (iso, iso, (iso,), iso),
        "long": (format_date(day, "long", EN), format_date(day, "long", ZH), (month, number, year), None),
        "month_day": (f"{month} {number}", month_day, (month, number), None),
        "day_month": (f"{number} {month}", month_day, (month, number), None),
        "weekday": (f"{weekday_en}, {month} {number}", month_day + weekday_zh, (month, number), month_day),
    }[form]
    return Value(
        {"": (english, chinese)},
        key=f"date {day:%m-%d}",
        keep_in_en=keep_in_en,
        keep_in_zh=(keep_in_zh or chinese,),
    )


def _draw_date(rng: random.Random, theme: float) -> Value:
    day = FIRST_DAY + datetime.timedelta(days=rng.randrange(DAYS))
    forms = ("iso", "iso", "long", "month_day", "day_month", "weekday")
    return date_value(day, rng.choice(forms))


DATE = Slot(_draw_date, open=True)


def time_value(time: datetime.time, hours: int = 12) -> Value:
    """A time by the 12-hour clock (9:30 am 上午9:30, the part of the day from CLDR) or the 24-hour clock (21:30)."""
    if hours == 24:
        clock = f"{time:%H:%M}"
        forms = {"": (clock, clock)}
    else:
        clock = format_time(time, "h:mm", locale=EN)
        period = get_period_names(context="format", locale=ZH)[get_period_id(time, locale=ZH)]
        period = period.replace("清晨", "早上")  # CLDR's word for dawn is for books
        forms = {"": (f"{clock} {'am' if time.hour < 12 else 'pm'}", f"{period}{clock}")}
    return Value(forms, key=f"time {time:%H:%M}", keep_in_en=(clock,), keep_in_zh=(clock,))


def _time_slot(first_hour: int, last_hour: int) -> Slot:
    """Times of the day, many of them round; one in three by the 24-hour clock."""

    def draw(rng: random.Random, theme: float) -> Value:
        minute = rng.choice((0, 30, 5 * rng.randrange(12), rng.randrange(60)))
        return time_value(datetime.time(rng.randint(first_hour, last_hour), minute), hours=rng.choice((12, 12, 24)))

    return Slot(draw, open=True)


TIME, MORNING, EVENING = _time_slot(5, 23), _time_slot(5, 11), _time_slot(15, 23)
