"""Money: prices, bills, tax, tips, change, discounts, splits, refunds, exchange; every amount kept to the character.

`$1,234.56` is the same in Chinese; `19.99 USD` and `19.99 dollars` become 19.99美元 (currency names from CLDR).
"""

import random

from babel.numbers import get_currency_precision

from marian_distill.augment.facts import DATE, WEEKDAY, currency_name, currency_slot, currency_words
from marian_distill.augment.grammar import Slot, Value, closed, nouns, read_patterns, words
from marian_distill.augment.words import BOOKING, COUNT, NAME, NAMES, PERCENT, kept_value

SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY"}
# "dollars" alone are US dollars; other dollars are named in full. The last word of CLDR's name is what people say.
SPOKEN = {currency_words(code).split()[-1]: code for code in ("USD", "EUR", "GBP", "JPY", "CNY", "KRW", "THB")}
FULL_NAMES = ("HKD", "AUD", "CAD", "SGD", "CHF")
ISO_CODES = ("USD", "USD", "CNY", "EUR", "GBP", "JPY", "HKD", "AUD", "CAD", "SGD", "KRW", "THB", "CHF", "NZD")

# (placement, currency); an entry's number of places in this list is its weight.
STYLES = [
    *[("sign before", sign) for sign in SIGNS for _ in range(3)],
    *[("sign before", "$")] * 2,
    ("sign after", "€"),
    *[("code after", code) for code in ISO_CODES],
    *[("code before", code) for code in ("USD", "CNY", "EUR")],
    *[("spoken", word) for word in (*SPOKEN, "dollars", "yuan")],
    *[("full name", code) for code in FULL_NAMES],
]


def amount(number: str, placement: str, currency: str) -> Value:
    """An amount of money: `number` as it is written, with a sign, an ISO code or a name (see `STYLES`)."""
    if placement in ("sign before", "sign after"):
        text = currency + number if placement == "sign before" else number + currency
        return Value({"": (text, text)}, key=f"amount {number}", keep_in_en=(text,), keep_in_zh=(text,))
    if placement == "spoken":
        english, chinese = f"{number} {currency}", "元" if currency == "yuan" else currency_name(SPOKEN[currency])
    elif placement == "full name":
        english, chinese = f"{number} {currency_words(currency)}", currency_name(currency)
    else:
        english = f"{number} {currency}" if placement == "code after" else f"{currency} {number}"
        chinese = "元人民币" if currency == "CNY" else currency_name(currency)
    forms = {"": (english, number + chinese)}
    return Value(forms, key=f"amount {number}", keep_in_en=(number,), keep_in_zh=(number, chinese))


def draw_number(rng: random.Random, decimals: int, most_digits: int = 7) -> str:
    """A number from 2 up, as bills have it: often with cents, with a separator from a thousand on, seldom large."""
    digits = min(rng.choice((1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 6, 7)), most_digits)
    units = rng.randrange(max(2, 10 ** (digits - 1)), 10**digits)
    if digits == 1 < most_digits - 2 and decimals and rng.random() < 0.2:
        units = 0
    grouped = f"{units:,}" if rng.random() < 0.85 else str(units)
    if decimals and (units == 0 or rng.random() < 0.7):
        if rng.random() < 0.1:
            return f"{grouped}.{rng.randrange(1, 10)}"
        cents = rng.choice((rng.randrange(1, 100), rng.randrange(1, 100), 10 * rng.randrange(1, 10), 99, 50))
        return f"{grouped}.{cents:02}"
    return grouped


def _draw_amount(rng: random.Random, theme: float) -> Value:
    placement, currency = STYLES[int(theme * len(STYLES))]
    code = SIGNS.get(currency) or SPOKEN.get(currency) or currency
    return amount(draw_number(rng, get_currency_precision(code)), placement, currency)


def price_slot(most_digits: int) -> Slot:
    """Amounts with a sign, of at most so many digits before the point: what a coffee or a ticket costs."""

    def draw(rng: random.Random, theme: float) -> Value:
        sign = list(SIGNS)[int(theme * len(SIGNS))]
        return amount(draw_number(rng, decimals=2, most_digits=most_digits), "sign before", sign)

    return Slot(draw, open=True)


AMOUNT = Slot(_draw_amount, open=True)

EXCHANGED = ("USD", "EUR", "GBP", "JPY", "CNY", "HKD", "KRW", "THB")


def _draw_exchange(rng: random.Random, theme: float) -> Value:
    """An amount in one currency and another currency: `100 US dollars into euros`, 100美元换成欧元."""
    source, target = rng.sample(EXCHANGED, 2)
    number = draw_number(rng, decimals=0, most_digits=5)
    given_zh = number + ("元人民币" if source == "CNY" else currency_name(source))
    given_en, wanted = f"{number} {currency_words(source)}", (currency_words(target), currency_name(target))
    forms = {
        "": (f"{given_en} into {wanted[0]}", f"{given_zh}换成{wanted[1]}"),
        "worth": (f"{given_en} in {wanted[0]}", f"{given_zh}等于多少{wanted[1]}"),
    }
    return Value(forms, key=f"amount {number}", keep_in_en=(number,), keep_in_zh=(number, wanted[1]))


def _draw_rate(rng: random.Random, theme: float) -> Value:
    return kept_value(f"{rng.randrange(0, 20)}.{rng.randrange(1, 10000):04}")


GOODS = (
    *nouns("件", "shirt = 衬衫, coat = 外套, sweater = 毛衣"),
    *nouns("条", "dress / dresses = 裙子, scarf / scarves = 围巾"),
    *nouns("个", "bag = 包, cup = 杯子, toy = 玩具, suitcase = 行李箱"),
    *nouns("本", "book = 书, notebook = 笔记本"),
    *nouns("把", "umbrella = 雨伞, chair = 椅子"),
    *nouns("张", "ticket = 票, map = 地图, table = 桌子"),
    *nouns("部", "phone = 手机"),
    *nouns("顶", "hat = 帽子"),
    *nouns("块", "watch / watches = 手表"),
    *nouns("台", "camera = 相机, computer = 电脑"),
)
FEES = words(
    """tax = 税费, tip = 小费, delivery fee = 运费, service charge = 服务费, deposit = 押金, entrance fee = 门票费,
    parking fee = 停车费, room charge = 房费, booking fee = 预订费"""
)
CHARGES = (
    *FEES,
    *words("discount = 折扣, rent = 房租, fine = 罚款, balance = 余额, price = 价格, fare = 车费, refund = 退款"),
)
METHODS = words(
    "cash = 现金, a credit card = 信用卡, a debit card = 借记卡, WeChat = 微信, Alipay = 支付宝, a gift card = 礼品卡"
)

SLOTS = {
    "amount": AMOUNT,
    "charge": closed(CHARGES),
    "code": BOOKING,
    "count": COUNT,
    "currency": currency_slot(["USD", "EUR", "GBP", "JPY", "CNY", "HKD", "KRW", "THB", "AUD", "CAD", "CHF", "SGD"]),
    "date": DATE,
    "fee": closed(FEES),
    "exchange": Slot(_draw_exchange, open=True),
    "goods": closed(GOODS),
    "method": closed(METHODS),
    "name": NAME,
    "people": closed(words("I = 我, we = 我们, they = 他们, you = 你")),
    "percent": PERCENT,
    "person": closed([*words("I = 我, we = 我们, they = 他们, you = 你, he = 他, she = 她"), *NAMES]),
    "rate": Slot(_draw_rate, open=True),
    "weekday": WEEKDAY,
}

BILLS = """
    The total is {amount}. | 总额为{amount}。
    The subtotal is {amount}. | 小计为{amount}。
    Total: {amount}. | 总计：{amount}。
    Subtotal: {amount}. | 小计：{amount}。
    Tax: {amount}. | 税费：{amount}。
    Tip: {amount}. | 小费：{amount}。
    Change: {amount}. | 找零：{amount}。
    Subtotal: {amount1}. Tax: {amount2}. Total: {amount3}. | 小计：{amount1}。税费：{amount2}。总计：{amount3}。
    Subtotal: {amount1}. Tip: {amount2}. Total: {amount3}. | 小计：{amount1}。小费：{amount2}。总计：{amount3}。
    Subtotal: {amount1}. Tax: {amount2}. | 小计：{amount1}。税费：{amount2}。
    Subtotal: {amount1}. Discount: {amount2}. | 小计：{amount1}。折扣：{amount2}。
    * Tax: {amount1}. Tip: {amount2}. | 税费：{amount1}。小费：{amount2}。
    * Discount: {amount1}. Total: {amount2}. | 折扣：{amount1}。总计：{amount2}。
    Total: {amount1}. Cash: {amount2}. Change: {amount3}. | 总计：{amount1}。现金：{amount2}。找零：{amount3}。
    The {charge} is {amount}. | {charge}为{amount}。
    How much is the {charge}? | {charge}是多少？
    Does the total include the {fee}? | 总额包含{fee}吗？
    The bill includes the {fee}. | 账单包含{fee}。
    The total is {amount} with tax. | 含税总额为{amount}。
    * The subtotal is {amount1} and the total is {amount2}. | 小计为{amount1}，总额为{amount2}。
    The total is {amount1}, and the {charge} is {amount2}. | 总额为{amount1}，{charge}为{amount2}。
    The tax rate is {percent}. | 税率为{percent}。
    The bill includes a tip of {percent}. | 账单包含{percent}的小费。
    I'd like to leave a tip of {amount}. | 我想留{amount}的小费。
    * I'd like to leave a tip of {percent}. | 我想留{percent}的小费。
    The bill should be {amount1}, not {amount2}. | 账单应该是{amount1}，不是{amount2}。
    There is a mistake in the bill. | 账单算错了。
    Could I have the bill, please? | 可以买单吗？
    The bill, please. | 买单，谢谢。
    Can I have a receipt? | 可以给我一张收据吗？
    A receipt for {amount}, please. | 请给我一张{amount}的收据。
    Invoice {code}: {amount}. | 发票{code}：{amount}。
    The payment of {amount} is due on {date}. | {amount}的款项应于{date}支付。
    Please pay {amount} before {date}. | 请在{date}之前付{amount}。
    {name} paid {amount} on {date}. | {name}在{date}付了{amount}。
"""

PRICES = """
    How much is it? | 多少钱？
    How much is this? | 这个多少钱？
    How much is {goods.this}? | {goods.this}多少钱？
    How much does {goods.this} cost? | {goods.this}要多少钱？
    How much are the {goods.many}? | {goods}多少钱？
    {goods.this} costs {amount}. | {goods.this}要{amount}。
    {goods.this} is {amount}. | {goods.this}是{amount}。
    {goods.a} costs {amount}. | {goods.a}要{amount}。
    {person} bought {goods.a} for {amount}. | {person}花{amount}买了{goods.a}。
    * {person} bought {goods.this} for {amount}. | {person}花{amount}买了{goods.this}。
    It costs {amount}. | 这个要{amount}。
    That's {amount}. | 一共{amount}。
    That will be {amount}, please. | 一共{amount}，谢谢。
    Your total is {amount}. | 您的总额为{amount}。
    They are {amount} each. | 每个{amount}。
    * {goods.many} are {amount} each. | {goods}每{goods.measure}{amount}。
    The price was {amount1}, but now it is {amount2}. | 原价是{amount1}，现在是{amount2}。
    The price changed from {amount1} to {amount2}. | 价格从{amount1}变成了{amount2}。
    The {charge} changed from {amount1} to {amount2}. | {charge}从{amount1}变成了{amount2}。
    That's too expensive. | 太贵了。
    {amount} is too much. | {amount}太多了。
    {goods.this} is too expensive. | {goods.this}太贵了。
    Do you have anything cheaper? | 有便宜一点的吗？
    Can you make it cheaper? | 可以便宜一点吗？
    Can you give me a discount? | 可以打折吗？
    How about {amount}? | {amount}怎么样？
    Is {amount} okay? | {amount}可以吗？
    My budget is {amount}. | 我的预算是{amount}。
    My budget for the {goods} is {amount}. | 我买{goods}的预算是{amount}。
    {goods.this} is {percent} off. | {goods.this}优惠{percent}。
    Everything is {percent} off on {weekday}. | {weekday}全场优惠{percent}。
    You get a discount of {percent}. | 您可以优惠{percent}。
    * You get a discount of {amount}. | 您可以优惠{amount}。
    With the discount, it is {amount}. | 打折后是{amount}。
    You saved {amount}. | 您节省了{amount}。
    Delivery is free over {amount}. | 满{amount}免运费。
    {count} {goods.many} cost {amount}. | {count}{goods.measure}{goods}要{amount}。
"""

PAYMENTS = """
    How much do I owe you? | 我该付您多少钱？
    {person} paid {amount}. | {person}付了{amount}。
    {person} paid {amount} for {goods.a}. | {person}花{amount}买了{goods.a}。
    * {name} paid {amount} for {goods.this}. | {name}花{amount}买了{goods.this}。
    {people} have {amount}. | {people}有{amount}。
    I only have {amount}. | 我只有{amount}。
    Here is {amount}. | 给您{amount}。
    Your change is {amount}. | 找您{amount}。
    You gave me {amount1}, so your change is {amount2}. | 您给了我{amount1}，找您{amount2}。
    * Here is {amount1}, and your change is {amount2}. | 给您{amount1}，找您{amount2}。
    Keep the change. | 不用找了。
    Do you have change for {amount}? | 您能找开{amount}吗？
    Can I pay with {method}? | 可以用{method}付款吗？
    I'd like to pay with {method}. | 我想用{method}付款。
    I'd like to pay {amount}. | 我想付{amount}。
    I'd like to pay {amount} with {method}. | 我想用{method}付{amount}。
    * Can I pay {amount} with {method}? | 可以用{method}付{amount}吗？
    {name} paid with {method}. | {name}用{method}付了款。
    You can only pay with {method}. | 只能用{method}付款。
    Cash or card? | 现金还是刷卡？
    {amount} per person. | 每人{amount}。
    It is {amount} per person. | 每人{amount}。
    Each person pays {amount}. | 每人付{amount}。
    Split {amount} between {count} people. | {amount}由{count}个人平分。
    Let's split the bill between {count} people. | 账单由{count}个人平分吧。
    The bill is {amount1}, so each person pays {amount2}. | 账单是{amount1}，每人付{amount2}。
    * The total is {amount1}, so each person pays {amount2}. | 总额为{amount1}，每人付{amount2}。
    There are {count} of us, so it is {amount} each. | 我们有{count}个人，每人{amount}。
    Can we pay separately? | 我们可以分开付吗？
    I'd like a refund of {amount}. | 我想退款{amount}。
    Can I get a refund? | 可以退款吗？
    We will refund {amount} to your card. | 我们会把{amount}退到您的卡上。
    * Your refund is {amount}. | 您的退款是{amount}。
    I was charged {amount} twice. | 我被扣了两次{amount}。
    You owe me {amount}. | 你欠我{amount}。
    I owe {name} {amount}. | 我欠{name}{amount}。
    {name} owes {name2} {amount}. | {name}欠{name2}{amount}。
    * {name} owes me {amount}. | {name}欠我{amount}。
    Can you lend me {amount}? | 你可以借给我{amount}吗？
    {name} sent me {amount}. | {name}给我转了{amount}。
    * I sent {name} {amount}. | 我给{name}转了{amount}。
    Please send {amount} to my account. | 请把{amount}转到我的账户。
    I'd like to withdraw {amount}. | 我想取{amount}。
    The balance of my account is {amount}. | 我的账户余额是{amount}。
    I'd like to change {exchange}. | 我想把{exchange}。
    Can I change {exchange} here? | 这里可以把{exchange}吗？
    Please change {exchange}. | 请把{exchange}。
    How much is {exchange.worth}? | {exchange.worth}？
    Do you take {currency}? | 你们收{currency}吗？
    What is the exchange rate for {currency}? | {currency}的汇率是多少？
    The exchange rate is {rate}. | 汇率是{rate}。
    * The exchange rate for {currency} is {rate}. | {currency}的汇率是{rate}。
    I need some {currency}. | 我需要一些{currency}。
"""

PATTERNS = read_patterns("money", SLOTS, BILLS + PRICES + PAYMENTS)
