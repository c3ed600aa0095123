"""Everyday sentences that a traveller also needs: naming things, counting them, greeting, asking again."""

from marian_distill.augment.facts import LANGUAGE, WEEKDAY
from marian_distill.augment.grammar import closed, nouns, words
from marian_distill.augment.words import COUNT, NAME, NAMES

ANIMALS = (
    *nouns("条", "dog = 狗, fish / fish = 鱼, snake = 蛇"),
    *nouns("只", "cat = 猫, bird = 鸟, rabbit = 兔子, sheep / sheep = 羊, chicken = 鸡, duck = 鸭子, tiger = 老虎"),
    *nouns("匹", "horse = 马"),
    *nouns("头", "cow = 牛, pig = 猪, elephant = 大象"),
)
THINGS = (
    *nouns("本", "book = 书, notebook = 笔记本, dictionary = 词典"),
    *nouns("张", "table = 桌子, bed = 床, map = 地图, photo = 照片"),
    *nouns("把", "chair = 椅子, key = 钥匙, umbrella = 雨伞, knife / knives = 刀"),
    *nouns("辆", "car = 汽车, bicycle = 自行车"),
    *nouns("个", "cup = 杯子, bag = 包, box = 盒子, apple = 苹果, clock = 钟"),
    *nouns("支", "pen = 钢笔, pencil = 铅笔"),
    *nouns("件", "shirt = 衬衫, coat = 外套"),
    *nouns("部", "phone = 手机"),
    *nouns("台", "computer = 电脑, camera = 相机"),
)
TOOLS = ("phone", "umbrella", "camera", "pen", "pencil", "computer", "car", "bicycle", "map", "dictionary")
RELATIVES = words(
    """my friend = 我的朋友, my mother = 我妈妈, my father = 我爸爸, my wife = 我妻子, my husband = 我丈夫,
    my son = 我儿子, my daughter = 我女儿, my teacher = 我的老师, my colleague = 我的同事"""
)

SLOTS = {
    "animal": closed(ANIMALS),
    "colour": closed(words("red = 红, black = 黑, white = 白, yellow = 黄, green = 绿, blue = 蓝")),
    "count": COUNT,
    "creature": closed((*ANIMALS, *THINGS)),
    "given": closed([name for name in NAMES if "." not in name.key]),
    "language": LANGUAGE,
    "name": NAME,
    "person": closed((*NAMES, *words("he = 他, she = 她"), *RELATIVES)),
    "relative": closed(RELATIVES),
    "thing": closed(THINGS),
    "tool": closed([thing for thing in THINGS if thing.key in TOOLS]),
    "weekday": WEEKDAY,
}

EVERYDAY = """
    This is {animal.a}. | 这是{animal.a}。
    This is {thing.a}. | 这是{thing.a}。
    That is {creature.a}. | 那是{creature.a}。
    Is this {creature.a}? | 这是{creature.a}吗？
    * Is that {creature.a}? | 那是{creature.a}吗？
    This is not {creature.a}. | 这不是{creature.a}。
    This is my {creature}. | 这是我的{creature}。
    Is this your {creature}? | 这是你的{creature}吗？
    {creature.this} is mine. | {creature.this}是我的。
    This is {relative}. | 这是{relative}。
    I have {creature.a}. | 我有{creature.a}。
    I have {count} {creature.many}. | 我有{count}{creature.measure}{creature}。
    {person} has {creature.a}. | {person}有{creature.a}。
    * {person} has {count} {creature.many}. | {person}有{count}{creature.measure}{creature}。
    Do you have {creature.a}? | 你有{creature}吗？
    I like {animal.many}. | 我喜欢{animal}。
    {person} likes {animal.many}. | {person}喜欢{animal}。
    I need {thing.a}. | 我需要{thing.a}。
    {person} needs {thing.a}. | {person}需要{thing.a}。
    There is {creature.a} here. | 这里有{creature.a}。
    * There are {count} {creature.many} here. | 这里有{count}{creature.measure}{creature}。
    Where is my {thing}? | 我的{thing}在哪里？
    Where is {person}? | {person}在哪里？
    The {thing} is {colour}. | {thing}是{colour}色的。
    * My {thing} is {colour}. | 我的{thing}是{colour}色的。
    What is this? | 这是什么？
    Who is this? | 这是谁？
    My name is {given}. | 我叫{given}。
    What is your name? | 你叫什么名字？
    This is my friend {name}. | 这是我的朋友{name}。
    Hello, {name}. | 你好，{name}。
    Good morning, {name}. | 早上好，{name}。
    Good evening, {name}. | 晚上好，{name}。
    Goodbye, {name}. | 再见，{name}。
    Thank you, {name}. | 谢谢你，{name}。
    Thank you very much. | 非常感谢。
    You're welcome. | 不客气。
    Excuse me. | 不好意思。
    I'm sorry. | 对不起。
    How are you? | 你好吗？
    I'm fine, thank you. | 我很好，谢谢。
    Nice to meet you. | 很高兴认识你。
    Yes, please. | 好的，谢谢。
    No, thank you. | 不用了，谢谢。
    I don't understand. | 我听不懂。
    Could you say that again? | 你可以再说一遍吗？
    Could you speak more slowly? | 你可以说慢一点吗？
    Could you write it down? | 你可以写下来吗？
    Do you speak {language}? | 你会说{language}吗？
    I don't speak {language}. | 我不会说{language}。
    I speak a little {language}. | 我会说一点{language}。
    I'm learning {language}. | 我在学{language}。
    * {person} is learning {language}. | {person}在学{language}。
    How do you say this in {language}? | 这个用{language}怎么说？
    Does anyone here speak {language}? | 这里有人会说{language}吗？
    What day is it today? | 今天星期几？
    Today is {weekday}. | 今天是{weekday}。
"""
