"""Amounts: sentences for each class of amount, so that no class is learnt from one kind of sentence alone.

Large numbers, codes, units, several amounts in a sentence, phone numbers, numbers below zero, fractions, versions,
percentages, currencies, ranges, dates in words, prices, decimals. The sentences are in `amount_patterns`; each class
is measured on its own (`CLASSES`). Most sentences come with a `{lead}` (I think, he said) too: more beginnings.
"""

from dataclasses import replace

from marian_distill.augment import AMOUNT_CLASSES, amount_patterns, figure_patterns, quantities
from marian_distill.augment.coffee import FOODS, MODIFIED
from marian_distill.augment.everyday import ANIMALS, THINGS
from marian_distill.augment.facts import COUNTRY, DATE, TIME, WEEKDAY
from marian_distill.augment.grammar import Pattern, closed, nouns, one, one_of, read_patterns, words
from marian_distill.augment.money import AMOUNT, FEES, GOODS, price_slot
from marian_distill.augment.travel import CITIES, SHOPS
from marian_distill.augment.words import NAME, NAMES

CROWDS = [("people", "人"), ("people", "人"), ("visitors", "名游客"), ("users", "名用户"), ("students", "名学生")]
# Drinks that are counted by the piece: 12 lattes, but no 12 coffee.
PIECES = tuple(drink for drink in MODIFIED if drink.forms["many"] != drink.forms[""])
COUNTED = (*PIECES, *FOODS, *GOODS, *ANIMALS, *THINGS)
BAGGAGE = nouns("个", "parcel = 包裹, box = 箱子, suitcase = 行李箱, bag = 包, envelope = 信封, machine = 机器")
LEADS = {
    "I think": "我觉得", "I hear": "听说", "he said": "他说", "she told me": "她告诉我", "it seems": "好像",
    "as you know,": "你也知道，", "by the way,": "对了，", "please note:": "请注意：", "in fact,": "其实，",
    "remember,": "记住，", "unfortunately,": "可惜", "we know that": "我们知道", "don't forget:": "别忘了：",
    "maybe": "也许", "of course,": "当然，", "to be honest,": "说实话，", "good news:": "好消息：",
    "look:": "你看：", "yes,": "对，", "no,": "不，", "they told me": "他们告诉我", "the paper says": "报纸上说",
    "people say": "人们说", "my boss said that": "我老板说", "I remember that": "我记得", "I am sure": "我肯定",
}  # fmt: skip
CROWD = quantities.large_slot(scales=("thousand", *["million"] * 4, "billion"), counted=CROWDS)
THINGS_COUNTED = quantities.counted_slot(COUNTED)
# An amount of any kind; what is hardest to copy twice or three times.
ANY = one_of(
    *(AMOUNT, AMOUNT, CROWD, THINGS_COUNTED, DATE, TIME),
    *2 * (quantities.CODE, quantities.PHONE, quantities.FIGURES, quantities.VERSION),
    *3 * (quantities.WORD_DATE,),
    *(quantities.LARGE_MONEY, quantities.LARGE_NUMBER, quantities.OTHER_MONEY, quantities.DEBT),
    *(quantities.WEIGHT, quantities.LENGTH, quantities.VOLUME, quantities.HEAT, quantities.SPEED, quantities.STORAGE),
    *(quantities.FRACTION, quantities.SHARE, quantities.DECIMAL, quantities.MINUS, quantities.COLD),
    *(quantities.ANY_PERCENT, quantities.RANGE, quantities.PRICE_RANGE, quantities.HOURS),
)

SLOTS = {
    "amount": AMOUNT,
    "any": ANY,
    "app": closed(words("Android = 安卓, the app = 应用, the game = 游戏, the driver = 驱动程序, the system = 系统")),
    "area": quantities.AREA,
    "baggage": closed(BAGGAGE),
    "body": closed(
        words(
            """the company = 公司, the bank = 银行, the school = 学校, the hospital = 医院, the factory = 工厂,
            the hotel = 酒店, the museum = 博物馆, the airline = 航空公司, the club = 俱乐部, our team = 我们团队"""
        )
    ),
    "building": closed(
        words("bridge = 大桥, airport = 机场, stadium = 体育馆, library = 图书馆, station = 车站, cinema = 电影院")
    ),
    "city": closed(CITIES),
    "code": quantities.CODE,
    "cold": quantities.COLD,
    "counted": THINGS_COUNTED,
    "country": COUNTRY,
    "crowd": CROWD,
    "cup": quantities.CUP,
    "date": DATE,
    "debt": quantities.DEBT,
    "decline": quantities.DECLINE,
    "decimal": quantities.DECIMAL,
    "deed": closed(
        words(
            """bought = 买了, found = 找到了, lost = 丢了, saw = 看到了, counted = 数了, borrowed = 借了, drew = 画了,
            won = 赢了, brought = 带来了, received = 收到了"""
        )
    ),
    "fee": closed(FEES),
    "figures": quantities.FIGURES,
    "foreign": quantities.OTHER_MONEY,
    "fraction": quantities.FRACTION,
    "goods": closed(GOODS),
    "heat": quantities.HEAT,
    "hours": quantities.HOURS,
    "large": quantities.LARGE_NUMBER,
    "lead": closed([one(en, zh) for en, zh in LEADS.items()]),
    "length": quantities.LENGTH,
    "distance": quantities.DISTANCE,
    "liquid": closed(words("water = 水, milk = 牛奶, lemonade = 柠檬水, juice = 果汁, tea = 茶")),
    "mark": quantities.MARK,
    "millions": quantities.LARGE_MONEY,
    "minus": quantities.MINUS,
    "name": NAME,
    "percent": quantities.ANY_PERCENT,
    "phone": quantities.PHONE,
    "place": closed(SHOPS),
    "power": quantities.POWER,
    "price": price_slot(most_digits=4),
    "price_range": quantities.PRICE_RANGE,
    "range": quantities.RANGE,
    "rate": closed(
        words(
            """the inflation rate = 通货膨胀率, the interest rate = 利率, the growth rate = 增长率,
            the unemployment rate = 失业率, the discount = 折扣, the humidity = 湿度"""
        )
    ),
    "figure": closed(
        words(
            """the price = 价格, the rent = 房租, the population = 人口, the score = 分数, the cost = 成本,
            income = 收入"""
        )
    ),
    "past": closed(words("yesterday = 昨天, last night = 昨晚, this morning = 今天早上")),
    "people": quantities.large_slot(scales=("million",)),
    "someone": closed((*words("he = 他, she = 她"), *NAMES)),
    "software": closed(words("Android = 安卓, Windows = Windows, Linux = Linux, Python = Python")),
    "release": quantities.RELEASE,
    "share": quantities.SHARE,
    "speed": quantities.SPEED,
    "spice": closed(words("sugar = 糖, salt = 盐, flour = 面粉, butter = 黄油, rice = 大米")),
    "storage": quantities.STORAGE,
    "time": TIME,
    "trend": closed(words("the growth rate = 增长率, the inflation rate = 通货膨胀率")),
    "version": quantities.VERSION,
    "volume": quantities.VOLUME,
    "weekday": WEEKDAY,
    "weight": quantities.WEIGHT,
    "when": closed(words("last year = 去年, this year = 今年, last month = 上个月, last week = 上周")),
    "who": closed((*words("he = 他, she = 她, they = 他们, we = 我们, I = 我"), *NAMES)),
    "word_date": quantities.WORD_DATE,
    "year": quantities.YEAR,
}

# A sentence that begins like this can follow "I think" as it is.
LED = (
    *("The ", "My ", "Your ", "It ", "We ", "There ", "About "),
    *("{someone}", "{who}", "{body}", "{rate}", "{figure}", "{trend}", "{goods."),
)


def with_lead(pattern: Pattern) -> Pattern:
    """The pattern as what somebody says: `{lead} the parcel weighs {weight}.`"""
    en = pattern.en if pattern.en.startswith("{") else pattern.en[0].lower() + pattern.en[1:]
    slots = {"lead": SLOTS["lead"], **pattern.slots}
    return replace(pattern, en=f"{{lead}} {en}", zh=f"{{lead}}{pattern.zh}", slots=slots)


def _read(table: str) -> list[Pattern]:
    patterns = read_patterns("amounts", SLOTS, table)
    led = [pattern for pattern in patterns if pattern.en.startswith(LED) and pattern.en.endswith(".")]
    return patterns + [with_lead(pattern) for pattern in led if not pattern.held_out]


TABLES = {**vars(amount_patterns), **vars(figure_patterns)}
CLASSES = {name: _read(TABLES[name.upper()]) for name in AMOUNT_CLASSES}
# For training alone: each amount in sentences that say nothing of its class, and numbers whose digits repeat.
DRILLS = _read(figure_patterns.ANY + figure_patterns.FIGURES)
PATTERNS = [*(pattern for patterns in CLASSES.values() for pattern in patterns), *DRILLS]
