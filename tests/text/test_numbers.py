from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marian_distill.text.numbers import numbers_kept, survives
from marian_distill.text.numerals import chinese_value, english_value

SAME = [
    ("It is on April 20, 2026.", "时间是2026年4月20日。"),
    ("It made $1.5 million.", "赚了150万美元。"),
    ("There were 20,000 people.", "有2万人。"),
    ("It is on the 3rd floor.", "在三楼。"),
    ("123 pages", "一百二十三页"),
    ("3.4 billion", "34亿"),
    ("5%", "百分之五"),
    ("1/3 of it", "它的三分之一"),
    ("one third of it", "三分之一"),
    ("half of it", "一半"),
    ("half a million people", "50万人"),
    ("It costs 350 yuan.", "它三百五。"),
    ("15,000 people", "一万五千人"),
    ("15,000 people", "一万五"),
    ("305 people", "三百零五人"),
    ("1/2 of it", "一半"),
    ("two dozen eggs", "24个鸡蛋"),
    ("a dozen eggs", "12个鸡蛋"),
    ("at 3 p.m.", "下午3点"),
    ("at 15:00", "下午3点"),
    ("3 p.m.", "15:00"),
    ("6:55 am", "早上6:55"),
    ("at 3:30", "三点半"),
    ("It is -5 °C.", "零下5度"),
    ("minus 5 degrees", "-5度"),
    ("10-20 million people", "1000万到2000万人"),
    ("twenty-one dogs", "21只狗"),
    ("I have a cup.", "我有一个杯子。"),
    ("one of them", "其中之一"),
    ("Let's go together.", "我们一起走。"),
    ("See you on Monday.", "星期一见。"),
    ("very good", "十分好"),
    ("$5", "5美元"),
    ("５％", "5%"),
    ("the 1990s", "20世纪90年代"),
    ("the 1990s", "90年代"),
    ("2026-04-20", "2026年4月20日"),
    ("in 1984", "一九八四年"),
    ("138 0013 8000", "13800138000"),
    ("v2.10.3", "2.10.3版"),
    ("1.5 hours", "一个半小时"),
    ("3.5 kg", "3.5公斤"),
    ("one hundred and twenty", "120"),
    ("3亿5000万", "350 million"),
    ("20k", "2万"),
    ("two people", "两人"),
    ("2 rooms", "两间房"),
    ("Gate B12", "B12登机口"),
    ("3 million", "三百万"),
    ("thousands of people", "成千上万的人"),
    ("tens of thousands", "数万"),
    ("May 3", "5月3日"),
    ("the second time", "第二次"),
    ("7:30 in the evening", "晚上7点30分"),
    ("three hundred and five", "三百零五"),
    ("1.1 million", "110万"),
    ("¥100", "100元"),
    ("￥100", "¥100"),
    ("$1,234.56", "1,234.56美元"),
    ("$1,234.56", "1234.56美元"),
    ("nineteen ninety-nine", "1999年"),
    ("2,500", "两千五百"),
    ("12:00", "12点"),
    ("the 21st century", "二十一世纪"),
    ("between 3 and 5 days", "3到5天"),
    ("25 minutes", "二十五分钟"),
    ("3 and a half years", "三年半"),
    ("half an hour", "30分钟"),
    ("a million dollars", "一百万美元"),
    ("$1 million", "100万美元"),
    ("Weigh 5 kg.", "称5千克。"),
    ("10 million kW", "1000万千瓦"),
    ("the 1830s", "19 世纪 30 年代"),
    ("2,06,737 cases", "206,737例"),
    ("600,000 people", "60 万人"),
    ("£10m", "1,000 万英镑"),
    ("within a decade", "10年内"),
    ("COVID-19", "新冠病毒"),
    ("a hexadecimal number", "十六进制数"),
    ("Both rooms are free.", "两间房都空着。"),
    ("four", "四"),
    ("I have no money.", "我没有钱。"),
    ("One moment, please.", "请等一下。"),
    ("three-quarters of it", "四分之三"),
    ("She lives at 221B.", "她住在221B。"),
    ("ten thousand", "一万"),
    ("It was in the fourth quarter.", "在第四季度。"),
    ("Call (555) 123-4567.", "请打555-123-4567。"),
    ("$1.5M", "150万美元"),
    ("100%", "百分之百"),
    ("The answer is -76.", "答案是-76。"),
    ("It is -27 °C outside.", "外面-27°C。"),
    ("An Il-76 crashed.", "一架伊尔-76坠毁。"),
    ("from August to September", "8月-9月"),
    ("10 -20 days", "10-20天"),
    ("Two cost $763, and 967 cost $92.", "两个要$763，967个要$92。"),
    ("the nineteenth and twentieth centuries", "十九世纪和二十世纪"),
    ("128 kbit/s", "128千比特/秒"),
    ("2.5", "二点五"),
    ("a quarter of an hour", "一刻钟"),
    ("-$25.00", "-25美元"),
]
DIFFERENT = [
    ("2 dogs and 2 cats", "我有2只狗"),
    ("$1.5 million", "15万美元"),
    ("20,000", "20万"),
    ("3rd floor", "四楼"),
    ("40.9%", "40.99%"),
    ("at 3 p.m.", "下午4点"),
    ("at 3 p.m.", "上午3点"),
    ("-5 degrees", "5度"),
    ("The answer is -76.", "答案是76。"),
    ("two dogs", "三只狗"),
    ("$5", "5欧元"),
    ("It is 9.99.", "是19.99。"),
    ("Tom goes on 2026-04-20.", "汤姆2026-04-2走。"),
    ("April 20", "4月21日"),
    ("Gate B12", "B21登机口"),
    ("1/3", "1/4"),
    ("the year 1984", "1948年"),
    ("12 lattes, 7 muffins and 30 teas", "12杯拿铁、7个玛芬"),
    ("twenty-one", "二十二"),
    ("3.4 billion", "3.4亿"),
    ("138 0013 8000", "138 0013 800"),
    ("v2.10.3", "2.1.3版"),
    ("5 and 6", "5和5"),
    ("$1", "2美元"),
    ("hello", "你好5"),
    ("10-20", "10-30"),
    ("5 kg", "50千克"),
    ("in 5 and 6", "在56"),
    ("10 a.m.", "下午10点"),
    ("three cups of tea", "两杯茶"),
    ("€20", "20英镑"),
    ("$1 million", "1亿美元"),
    ("15 minutes", "50分钟"),
    ("three hundred", "三千"),
]


@pytest.mark.parametrize(
    ("kept", "hypothesis", "verdict"),
    [
        ("$19.99", "总额为$19.99。", True),
        ("19.99", "总额为19.99美元。", True),
        ("9.99", "总额为19.99美元。", False),
        ("19.9", "总额为19.99美元。", False),
        ("234.56", "总额为1,234.56美元。", False),
        ("$1,234.56", "总额为$1234.56。", False),
        ("9:30", "上午9:30开始。", True),
        ("9:30", "晚上19:30开始。", False),
        ("B12", "请到B12登机口。", True),
        ("B1", "请到B12登机口。", False),
        ("12", "It costs 12.", True),
        ("12", "It costs 12.5.", False),
        ("美元", "19.99美元", True),
        ("2026-04-20", "将于2026-04-20去北京", True),
    ],
)
def test_survives_means_to_the_character(kept, hypothesis, verdict):
    assert survives(kept, hypothesis) is verdict


@pytest.mark.parametrize(("english", "chinese"), SAME)
def test_the_same_numbers_written_otherwise(english, chinese):
    assert numbers_kept(english, chinese)
    assert numbers_kept(chinese, english)


@pytest.mark.parametrize(("english", "chinese"), DIFFERENT)
def test_other_numbers(english, chinese):
    assert not numbers_kept(english, chinese)
    assert not numbers_kept(chinese, english)


WHOLE = st.integers(2, 10**9)
DIGITS, UNITS = "零一二三四五六七八九", ("", "十", "百", "千")


def in_chinese(number):
    """A number below a trillion in Chinese numerals, as it is written out."""
    for value, name in ((10**8, "亿"), (10**4, "万")):
        if number >= value:
            rest = number % value
            return in_chinese(number // value) + name + ("零" if 0 < rest < value // 10 else "") + in_chinese(rest)
    text, gap = "", False
    for place in range(3, -1, -1):
        if digit := number // 10**place % 10:
            text += ("零" if gap and text else "") + DIGITS[digit] + UNITS[place]
        gap = not digit
    return text


ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
    "eighteen nineteen",
)
TENS = ("- - twenty thirty forty fifty", "sixty seventy eighty ninety")
ONES, TENS = (" ".join(words).split() for words in (ONES, TENS))


def in_english(number):
    """A number below a trillion in English words."""
    for value, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= value:
            rest = number % value
            joint = " and " if name == "hundred" else " "
            return f"{in_english(number // value)} {name}" + (joint + in_english(rest) if rest else "")
    if number < 20:
        return ONES[number]
    return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")


@given(WHOLE)
def test_words_in_both_languages_have_their_value(number):
    assert chinese_value(in_chinese(number)) == number
    words = in_english(number).replace("-", " ").replace(" and ", " ").split()
    assert english_value(words) == Decimal(number)


@given(WHOLE)
def test_a_number_is_the_same_in_every_way_of_writing_it(number):
    for way in (str(number), f"{number:,}", in_english(number)):
        assert numbers_kept(f"We sold {way} of them.", f"我们卖了{number}个。")
        assert numbers_kept(f"We sold {way} of them.", f"我们卖了{in_chinese(number)}个。")


@given(WHOLE, WHOLE)
def test_another_number_is_never_the_same(number, other):
    assert numbers_kept(f"We sold {number} of them.", f"我们卖了{other}个。") is (number == other)


@given(st.integers(21, 9999), st.sampled_from(["thousand", "million", "billion"]))
def test_scales(tenths, scale):
    value = tenths * {"thousand": 100, "million": 10**5, "billion": 10**8}[scale]
    written = f"{value / 10**8:.9g}亿" if value >= 10**8 else f"{value / 10**4:.9g}万"
    assert numbers_kept(f"It cost ${tenths / 10} {scale}.", f"它花了{written}美元。")
    assert not numbers_kept(f"It cost ${tenths / 10} {scale}.", f"它花了{value * 10}美元。")


@given(st.dates())
def test_dates(day):
    written = f"{day.year}年{day.month}月{day.day}日"
    for way in (f"{day:%B} {day.day}, {day.year}", f"{day.day} {day:%b} {day.year}"):
        assert numbers_kept(f"It was on {way}.", f"那是{written}。")
    if 1900 <= day.year < 2100:
        assert numbers_kept(f"It was on {day.isoformat()}.", f"那是{written}。")


@given(st.integers(0, 23), st.integers(0, 59))
def test_times(hour, minute):
    half, twelve = ("am" if hour < 12 else "pm"), hour % 12 or 12
    period = "上午" if hour < 12 else "下午"
    for way in (f"{twelve}:{minute:02} {half}", f"{hour}:{minute:02}"):
        assert numbers_kept(f"Come at {way}.", f"请{period}{twelve}点{minute}分来。")
        assert numbers_kept(f"Come at {way}.", f"请{hour}:{minute:02}来。")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_can_be_compared(source, hypothesis):
    assert numbers_kept(source, hypothesis) == numbers_kept(hypothesis, source)
    assert numbers_kept(source, source)
