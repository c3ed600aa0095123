"""Coffee: ordering, sizes, milk, sugar, hot and iced, to go and for here, pastries, waiting, paying."""

import random

from marian_distill.augment.facts import EVENING, MORNING, TIME
from marian_distill.augment.grammar import Slot, Value, closed, noun, nouns, one, read_patterns, words
from marian_distill.augment.money import price_slot
from marian_distill.augment.words import COUNT, MINUTES, NAME, NUMBER_WORDS, ORDER_NUMBER, number_value

# Drinks that come hot or iced; then those that come one way only.
HOT_OR_ICED = """latte = 拿铁, cappuccino = 卡布奇诺, Americano = 美式咖啡, mocha = 摩卡, macchiato = 玛奇朵,
    coffee = 咖啡, vanilla latte = 香草拿铁, caramel latte = 焦糖拿铁,
    hazelnut latte = 榛果拿铁, matcha latte = 抹茶拿铁,
    black coffee = 黑咖啡, green tea = 绿茶, black tea = 红茶, lemon tea = 柠檬茶, milk tea = 奶茶"""
ONE_WAY = """espresso = 浓缩咖啡, flat white = 澳白咖啡, cold brew = 冷萃咖啡, hot chocolate = 热巧克力,
    orange juice = 橙汁"""
HOT_ALONE = ("espresso", "flat white", "hot chocolate")


def _drinks(table: str) -> tuple[Value, ...]:
    """Drinks by the cup: the forms of a noun, and `cup` (a cup of latte 一杯拿铁)."""
    return tuple(map(_drink, nouns("杯", table)))


def _drink(drink: Value) -> Value:
    english, chinese = drink.forms[""]
    glass = "glass" if "juice" in english else "cup"
    forms = {**drink.forms, "cup": (f"a {glass} of {english}", f"一杯{chinese}")}
    if is_mass(english) or english.endswith("coffee"):  # two coffees, but: I like coffee
        forms["many"] = drink.forms[""]
    return Value(forms, drink.key)


def is_mass(english: str) -> bool:
    """Whether a drink's name has no plural: two cups of green tea, not two green teas."""
    return english.endswith((" tea", " brew", " juice", " chocolate"))


MODIFIED = _drinks(HOT_OR_ICED)
CAFFE = _drinks("caffe / caffe = 咖啡")  # as many people write it
DRINKS = (*MODIFIED, *MODIFIED[:6], *_drinks(ONE_WAY), *CAFFE)  # the best-known twice

SIZES = words("small = 小杯, medium = 中杯, large = 大杯")
TEMPERATURES = words("hot = 热, iced = 冰")


def is_iced(theme: float) -> bool:
    """Whether a sentence is about something cold: no ice goes into a hot drink."""
    return theme >= 0.5


def _draw_plain(rng: random.Random, theme: float) -> Value:
    """A drink with nothing said about it."""
    drink = rng.choice(DRINKS)
    while is_iced(theme) and drink.key in HOT_ALONE:
        drink = rng.choice(DRINKS)
    return drink


def _draw_drink(rng: random.Random, theme: float) -> tuple[str, str]:
    """A drink with, often, a size, hot or iced, decaf: (large iced latte, 大杯冰拿铁)."""
    modified = rng.random() < 0.7
    english, chinese = (rng.choice(MODIFIED) if modified else _draw_plain(rng, theme)).forms[""]
    if not modified:
        return english, chinese
    if "tea" not in english and "matcha" not in english and rng.random() < 0.15:
        english, chinese = f"decaf {english}", f"低因{chinese}"
    if rng.random() < 0.5:
        hot = TEMPERATURES[is_iced(theme)].forms[""]
        english, chinese = f"{hot[0]} {english}", hot[1] + chinese
    if rng.random() < 0.6:
        size = rng.choice(SIZES).forms[""]
        english, chinese = f"{size[0]} {english}", size[1] + chinese
    return english, chinese


def _draw_one(rng: random.Random, theme: float) -> Value:
    return noun(*_draw_drink(rng, theme), measure="杯")


def _draw_order(rng: random.Random, theme: float) -> Value:
    """What is ordered: a large latte, two iced mochas, 3 cups of coffee."""
    drink = noun(*_draw_drink(rng, theme), measure="杯")
    if rng.random() < 0.35:
        return one(*drink.forms["a"])
    number = rng.choice(NUMBER_WORDS) if rng.random() < 0.6 else number_value(rng.randrange(2, 11))
    english, chinese = number.forms[""]
    plain = drink.forms[""][0]
    if is_mass(plain) or rng.random() < 0.3:
        size = next((f"{size.key} " for size in SIZES if plain.startswith(f"{size.key} ")), "")
        name = f"{size}{'glasses' if 'juice' in plain else 'cups'} of {plain.removeprefix(size)}"
    else:
        name = drink.forms["many"][0]
    return one(f"{english} {name}", f"{chinese}杯{drink.forms[''][1]}", keep=number.keep_in_en)


FOODS = (
    *nouns(
        "个", "croissant = 羊角面包, muffin = 玛芬, bagel = 贝果, sandwich = 三明治, donut = 甜甜圈, egg tart = 蛋挞"
    ),
    *nouns("块", "cookie = 曲奇, brownie = 布朗尼, cheesecake = 芝士蛋糕, chocolate cake = 巧克力蛋糕"),
    *nouns("份", "salad = 沙拉, fruit salad = 水果沙拉, waffle = 华夫饼, pancake = 松饼"),
)
BAKED = tuple(food for food in FOODS if "salad" not in food.key)
COFFEES = tuple(drink for drink in MODIFIED if "tea" not in drink.key and "matcha" not in drink.key)


def _draw_foods(rng: random.Random, theme: float) -> Value:
    number, food = rng.choice(NUMBER_WORDS), rng.choice(FOODS)
    (english, chinese), measure = number.forms[""], food.forms["measure"][1]
    return one(f"{english} {food.forms['many'][0]}", chinese + measure + food.forms[""][1])


def _unless_hot(always: str, iced: str) -> Slot:
    """Words from two tables, those of the second only where the drink is not hot."""
    hot_choices, iced_choices = words(always), words(f"{always}, {iced}")
    return Slot(lambda rng, theme: rng.choice(iced_choices if is_iced(theme) else hot_choices), open=False)


SLOTS = {
    "count": COUNT,
    "coffee": closed(COFFEES),
    "drink": Slot(_draw_plain, open=False),
    "evening": EVENING,
    "extra": _unless_hot(
        """sugar = 糖, cream = 奶油, honey = 蜂蜜, cinnamon = 肉桂粉, lemon = 柠檬, caramel = 焦糖,
        vanilla syrup = 香草糖浆, chocolate sauce = 巧克力酱, whipped cream = 鲜奶油""",
        "ice = 冰",
    ),
    "baked": closed(BAKED),
    "food": closed(FOODS),
    "foods": Slot(_draw_foods, open=False),
    "milk": closed(
        words(
            """milk = 牛奶, oat milk = 燕麦奶, soy milk = 豆奶, almond milk = 杏仁奶, coconut milk = 椰奶,
            whole milk = 全脂牛奶, skim milk = 脱脂牛奶"""
        )
    ),
    "minutes": MINUTES,
    "morning": MORNING,
    "name": NAME,
    "number": ORDER_NUMBER,
    "one": Slot(_draw_one, open=False),
    "order": Slot(_draw_order, open=False),
    "price": price_slot(most_digits=2),
    "size": closed(SIZES),
    "sweetness": _unless_hot(
        "no sugar = 不加糖, less sugar = 少糖, half sugar = 半糖",
        "no ice = 不加冰, less ice = 少冰, extra ice = 多冰",
    ),
    "taste": closed(words("sweet = 甜, hot = 烫, cold = 凉, bitter = 苦, strong = 浓, weak = 淡")),
    "temperature": closed(TEMPERATURES),
    "time": TIME,
}

ORDERS = """
    Give me {drink.cup}. | 给我{drink.cup}。
    Give me {order}. | 给我{order}。
    Please give me {order}. | 请给我{order}。
    {order}, please. | 请给我{order}。
    {drink.cup}, please. | 请给我{drink.cup}。
    I'd like {order}. | 我想要{order}。
    I'd like {order}, please. | 我想要{order}，谢谢。
    I'll have {order}. | 我要{order}。
    I want {order}. | 我要{order}。
    I want {drink.cup}. | 我要{drink.cup}。
    We'll have {order}. | 我们要{order}。
    We'd like {order}. | 我们想要{order}。
    * We'll have {order}, please. | 我们要{order}，谢谢。
    Can I have {order}? | 可以给我{order}吗？
    Could I have {order}, please? | 请问可以给我{order}吗？
    * Can I have {drink.cup}, please? | 请问可以给我{drink.cup}吗？
    Can I get {order}? | 可以给我{order}吗？
    {order} to go, please. | 请给我{order}，带走。
    {order} for here, please. | 请给我{order}，在这里喝。
    I'd like {order} to go. | 我想要{order}，带走。
    I'll have {order} for here. | 我要{order}，在这里喝。
    * I'll have {order} to go. | 我要{order}，带走。
    Give me {order} to go. | 给我{order}，带走。
    * Give me {order} for here. | 给我{order}，在这里喝。
    Just {one.a}, please. | 只要{one.a}，谢谢。
    Another {one}, please. | 请再给我一杯{one}。
    Can I have another {one}? | 可以再给我一杯{one}吗？
    One more {one} to go, please. | 请再给我一杯{one}，带走。
    {order} and {food.a}, please. | 请给我{order}和{food.a}。
    I'd like {one.a} and {food.a}. | 我想要{one.a}和{food.a}。
    * Can I have {one.a} and {food.a}? | 可以给我{one.a}和{food.a}吗？
    {foods}, please. | 请给我{foods}。
    I'd like {foods} to go. | 我想要{foods}，带走。
    Give me {foods}. | 给我{foods}。
    I'll have {food.a}. | 我要{food.a}。
    {foods} and {order}, please. | 请给我{foods}和{order}。
    {count} cups, please. | 请给我{count}杯。
    How many cups would you like? | 您要几杯？
    The {one} is for {name}. | {one}是给{name}的。
    {one.a} for {name}. | 给{name}一杯{one}。
"""

CHANGES = """
    {one.a} with {milk}, please. | 请给我{one.a}，加{milk}。
    I'd like {one.a} with {milk}. | 我想要{one.a}，加{milk}。
    * I'll have {one.a} with {milk}. | 我要{one.a}，加{milk}。
    {one.a} with {sweetness}, please. | 请给我{one.a}，{sweetness}。
    I'd like {order} with {sweetness}. | 我想要{order}，{sweetness}。
    Give me {one.a} with {milk} and {sweetness}. | 给我{one.a}，加{milk}，{sweetness}。
    {one.a} with {extra}, please. | 请给我{one.a}，加{extra}。
    {one.a} without {extra}, please. | 请给我{one.a}，不加{extra}。
    * I'd like {one.a} without {extra}. | 我想要{one.a}，不加{extra}。
    {sweetness} in my {drink}, please. | 我的{drink}{sweetness}，谢谢。
    {sweetness}, please. | {sweetness}，谢谢。
    {sweetness} for me. | 我要{sweetness}的。
    Please add {milk}. | 请加{milk}。
    Please add {extra}. | 请加{extra}。
    Please add {extra} to my {drink}. | 请给我的{drink}加{extra}。
    Could you add {extra} to my {drink}? | 可以给我的{drink}加{extra}吗？
    With {extra}, please. | 加{extra}，谢谢。
    Without {extra}, please. | 不加{extra}，谢谢。
    I'd like some more {extra}. | 我想再要一点{extra}。
    Add an extra shot, please. | 请多加一份浓缩。
    {coffee.a} with an extra shot, please. | 请给我{coffee.a}，多加一份浓缩。
    Can I have an extra shot in my {coffee}? | 我的{coffee}可以多加一份浓缩吗？
    Can you use {milk}? | 可以用{milk}吗？
    Can you make the {coffee} with {milk}? | {coffee}可以用{milk}做吗？
    Do you have {milk}? | 你们有{milk}吗？
    Is there {milk} in the {drink}? | {drink}里有{milk}吗？
    * Is there {extra} in my {drink}? | 我的{drink}里有{extra}吗？
    Is the {coffee} decaf? | {coffee}是低因的吗？
    Do you have decaf {coffee}? | 你们有低因{coffee}吗？
    What size would you like? | 您要多大杯的？
    {size} or {size2}? | {size}还是{size2}？
    A {size} one, please. | 请给我{size}的。
    Make it {size}, please. | 请做成{size}的。
    Make it {temperature}, please. | 请做成{temperature}的。
    Can you make it {temperature}? | 可以做成{temperature}的吗？
    * Can you make it {size}? | 可以做成{size}的吗？
    Would you like it hot or iced? | 您要热的还是冰的？
    Would you like {milk} or {milk2}? | 您要{milk}还是{milk2}？
    For here or to go? | 在这里喝还是带走？
    Is that for here or to go? | 您在这里喝还是带走？
    To go, please. | 带走，谢谢。
    For here, please. | 在这里喝，谢谢。
    Would you like sugar? | 您要加糖吗？
    * Would you like {milk}? | 您要{milk}吗？
    Anything else? | 还要别的吗？
    Would you like anything else? | 您还要别的吗？
    Would you like {food.a}? | 您要{food.a}吗？
    Can I change my {drink} to {drink2.a}? | 我的{drink}可以换成{drink2}吗？
    Please cancel the {drink}. | 请取消{drink}。
"""

IN_THE_SHOP = """
    How much is {one.a}? | {one.a}多少钱？
    How much is {food.a}? | {food.a}多少钱？
    How much is the {drink}? | {drink}多少钱？
    {one.a} is {price}. | {one.a}是{price}。
    {food.a} is {price}. | {food.a}是{price}。
    * The {drink} is {price}. | {drink}是{price}。
    That's {price} for {order}. | {order}一共{price}。
    The {drink} and the {food} are {price}. | {drink}和{food}一共{price}。
    I'd like to pay for {order}. | 我想付{order}的钱。
    Your {drink} is ready. | 您的{drink}好了。
    {name}, your {drink} is ready. | {name}，您的{drink}好了。
    Order number {number} is ready. | {number}号订单好了。
    My order number is {number}. | 我的订单号是{number}。
    Is order number {number} ready? | {number}号订单好了吗？
    * Is my {drink} ready? | 我的{drink}好了吗？
    How long will my {drink} take? | 我的{drink}要等多久？
    It will take {minutes} minutes. | 要等{minutes}分钟。
    Your {drink} will be ready in {minutes} minutes. | 您的{drink}{minutes}分钟后就好。
    I have waited {minutes} minutes for my {drink}. | 这杯{drink}我已经等了{minutes}分钟了。
    This is not my {drink}. | 这不是我的{drink}。
    I ordered {drink.a}, not {drink2.a}. | 我点的是{drink}，不是{drink2}。
    I ordered {order}. | 我点了{order}。
    * {name} ordered {order}. | {name}点了{order}。
    This {coffee} is too {taste}. | 这杯{coffee}太{taste}了。
    My {coffee} is too {taste}. | 我的{coffee}太{taste}了。
    It's too {taste} for me. | 对我来说太{taste}了。
    The {drink} here is very good. | 这里的{drink}很好喝。
    The {food} here is very good. | 这里的{food}很好吃。
    I like {drink.many}. | 我喜欢{drink}。
    I don't like {drink.many}. | 我不喜欢{drink}。
    * I like {food.many}. | 我喜欢{food}。
    {name} likes {drink.many}. | {name}喜欢{drink}。
    Do you have {food.many}? | 你们有{food}吗？
    * Do you have {drink.many}? | 你们有{drink}吗？
    Is the {food} fresh? | {food}新鲜吗？
    Could you heat the {baked}? | 可以把{baked}加热吗？
    Sorry, we have no more {food.many}. | 对不起，{food}卖完了。
    Sorry, we have no more {milk}. | 对不起，{milk}用完了。
    What do you recommend? | 您推荐什么？
    I recommend the {drink}. | 我推荐{drink}。
    Can I have a glass of water? | 可以给我一杯水吗？
    Can I see the menu? | 可以看一下菜单吗？
    A table for {count}, please. | 请给我们一张{count}人桌。
    Do you have Wi-Fi here? | 这里有Wi-Fi吗？
    What time do you open? | 你们几点开门？
    What time does the shop open? | 店里几点开门？
    * What time does the shop close? | 店里几点关门？
    What time do you close? | 你们几点关门？
    We open at {morning}. | 我们{morning}开门。
    We close at {evening}. | 我们{evening}关门。
    The shop opens at {morning}. | 店里{morning}开门。
    The shop closes at {evening}. | 店里{evening}关门。
    Let's have {drink.cup} at {time}. | 我们{time}喝{drink.cup}吧。
    I drink {drink.cup} every day. | 我每天喝{drink.cup}。
"""

PATTERNS = read_patterns("coffee", SLOTS, ORDERS + CHANGES + IN_THE_SHOP)
