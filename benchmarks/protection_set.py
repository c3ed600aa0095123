"""Sentences that hold what must come back from a translation, made by rule, and whether it came back.

Whether it did is judged by what was put in, not by the patterns that the library looks for.
"""

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from marian_distill.languages import Language
from marian_distill.text.numbers import numbers_kept

CARRIERS: dict[Language, tuple[str, ...]] = {
    "en": (
        "Please send it to X before Friday.",
        "X is ready for you at the counter.",
        "I would like to pay with X, please.",
        "The price of the coffee is shown in X.",
        "How do I get to the station from X?",
        "Open X and choose your seat.",
        "You can find the menu at X.",
        "Your order number is X.",
        "Hello X, your coffee is ready.",
        "We waited for X in vain.",
        "Our hotel is close to X, isn't it?",
        "X has changed the price of the ticket.",
        "Can you tell me what X means?",
        "If you need help, ask X or call us.",
        "I bought a ticket to X yesterday. It was cheap.",
        "Do not forget X!",
        "X: two cups of tea and a sandwich",
        "The bus from X to X leaves in the evening.",
        "Is X better than X, or worse?",
        "Thank you, X. We will send X to you tomorrow.",
    ),
    "zh": (
        "请在星期五之前发给X。",
        "X已经在柜台准备好了。",
        "我想用X付款，谢谢。",
        "咖啡的价格写在X里。",
        "从X到车站怎么走？",
        "打开X，选择您的座位。",
        "您可以在X找到菜单。",
        "您的订单号是X。",
        "你好，X，您的咖啡好了。",
        "我们白等了X。",
        "我们的酒店离X很近，对吗？",
        "X改了票价。",
        "你能告诉我X是什么意思吗？",
        "需要帮助的话，请问X或者打电话给我们。",
        "我昨天买了去X的票。很便宜。",
        "别忘了X！",
        "X：两杯茶和一个三明治",
        "从X到X的公共汽车晚上出发。",
        "X比X好吗？",
        "谢谢你，X。我们明天把X寄给你。",
    ),
}
NAMES = ("name", "user", "count", "order_id", "price", "city", "item", "date")


def _url(draw: random.Random) -> str:
    host = draw.choice(("example.com", "shop.example.org", "www.example.cn", "localhost:8080", "a-b.example.co.uk"))
    path = draw.choice(("", "/", "/menu", "/a/b_c/d-1.html", "/search?q=tea&lang=en#top", "/%E8%8C%B6", "/~me/x(1)/y"))
    return draw.choice(("https://", "http://", "ftp://")) + host + path


def _email(draw: random.Random) -> str:
    local = draw.choice(("anna", "li.wei", "order+tea", "info", "a_b-c", "sales2026"))
    return f"{local}@{draw.choice(('example.com', 'mail.example.org', 'example.com.cn', 'a-b.io'))}"


CODE = (
    "`git push --force`",
    "`x = y + 1`",
    "``a ` b``",
    "print_menu()",
    "order.total_price",
    "--dry-run",
    "/usr/local/bin",
    "config.yaml",
    "C:\\Users\\anna\\menu.txt",
    "std::sort()",
    "getElementById",
    "MAX_SIZE",
    "~/orders/2026.csv",
    "v1.2.3",
    "`<br>`",
    "$HOME",
)
EMOJI = ("👍", "☕️", "😀😀", "👩‍👩‍👧", "🇨🇳", "👋🏽", "❤️", "✅", "1️⃣", "🏳️‍🌈", "🚀", "⭐")
LITERALS: dict[str, Callable[[random.Random], str]] = {
    "{0}": lambda draw: f"{{{draw.randrange(10)}}}",
    "{name}": lambda draw: f"{{{draw.choice(NAMES)}}}",
    "{{x}}": lambda draw: "{{" + draw.choice(("x", " x ", "user.name", "count|upper")) + "}}",
    "%s": lambda draw: draw.choice(("%s", "%d", "%.2f", "%5d", "%(name)s", "%@", "%i")),
    "%1$s": lambda draw: f"%{draw.randrange(1, 5)}${draw.choice('sd')}",
    "${x}": lambda draw: f"${{{draw.choice(NAMES)}}}",
    "<b0></b0>": lambda draw: "<{0}></{0}>".format(f"{draw.choice('abx')}{draw.randrange(10)}"),
    "url": _url,
    "e-mail": _email,
    "code": lambda draw: draw.choice(CODE),
    "emoji": lambda draw: draw.choice(EMOJI),
}
TERMS: dict[Language, dict[str, str]] = {
    "en": {
        "latte": "拿铁咖啡",
        "flat white": "澳白",
        "Blue Harbour": "蓝港",
        "gate": "登机口",
        "order sheet": "点单表",
        "Kopi-O": "黑咖",
    },
    "zh": {
        "拿铁": "caffè latte",
        "蓝港": "Blue Harbour",
        "登机口": "boarding gate",
        "点单表": "order sheet",
        "套餐": "set menu",
    },
}
AMOUNTS: dict[Language, tuple[str, ...]] = {
    "en": (
        "The total is $N.D, please.",
        "It costs N dollars.",
        "We need N cups of coffee.",
        "There is a discount of N %.",
        "The hotel costs ¥1,N a night.",
        "Meet me at 8:45 p.m. at gate N.",
        "The flight leaves on April 20, 2026.",
        "They spent 1.5 million dollars on it.",
        "I paid €N.D for two tickets.",
        "The train takes 3 hours and N minutes.",
    ),
    "zh": (
        "一共N.D美元。",
        "这个要N块钱。",
        "我们要N杯咖啡。",
        "打折N%。",
        "酒店一晚1,N元。",
        "晚上8点45分在N号登机口见。",
        "航班2026年4月20日起飞。",
        "他们花了150万美元。",
        "两张票我付了N.D欧元。",
        "火车要走3小时N分钟。",
    ),
}
PAGES: dict[Language, tuple[str, ...]] = {
    "en": (
        '<p class="x" data-a="1 > 0">The <b>coffee</b> is on the table.</p>',
        "<p>Click <a href='/a?b=1&amp;c=2'>here</a> to pay.</p>",
        "<ul><li>Tea</li><li><i>Two cups</i> of coffee &copy;</li></ul>",
        "<h1>Menu</h1><!-- today's --><p>We are open.<br>Come in!</p>",
        '<p>Type <code>git push</code> and wait.</p><script>if (a < b) { go("x"); }</script>',
        "<p>I <em>really <b>like</b> your</em> tea.</p>",
        '<p>Ask <span translate="no">Anna Smith</span> for the bill &lt;now&gt;.</p>',
        '<div>My ticket<img src="t.png" alt="A ticket"> is lost.</div>',
        "<td>I want <u>water</u>, <i>tea</i> and <b>coffee</b>.</td>",
        "<pre>  two  spaces\n</pre><p><b>All of this is bold.</b></p>",
    ),
    "zh": (
        '<p class="x" data-a="1 > 0"><b>咖啡</b>在桌子上。</p>',
        "<p>点击<a href='/a?b=1&amp;c=2'>这里</a>付款。</p>",
        "<ul><li>茶</li><li><i>两杯</i>咖啡 &copy;</li></ul>",
        "<h1>菜单</h1><!-- 今天 --><p>我们开门了。<br>请进！</p>",
        '<p>输入<code>git push</code>然后等一下。</p><script>if (a < b) { go("x"); }</script>',
        "<p>我<em>真的<b>喜欢</b>你的</em>茶。</p>",
        '<p>请向<span translate="no">Anna Smith</span>要账单&lt;现在&gt;。</p>',
        '<div>我的票<img src="t.png" alt="票">丢了。</div>',
        "<td>我要<u>水</u>、<i>茶</i>和<b>咖啡</b>。</td>",
        "<pre>  two  spaces\n</pre><p><b>这些都是粗体。</b></p>",
    ),
}
_MARKUP = re.compile(
    r"<!--.*?-->|<script.*?</script>|<pre.*?</pre>|<code.*?</code>|<[^<>]*(?:\"[^\"]*\"[^<>]*)*>|&\w+;", re.DOTALL
)


class Item(NamedTuple):
    """A text with what must come back from it.

    Args:
        kind: a key of `LITERALS`, or amount, html, glossary.
        text: the source.
        held: what must be in the translation, to the character; in HTML in no other number.
        glossary: for this text.
    """

    kind: str
    text: str
    held: tuple[str, ...] = ()
    glossary: dict[str, str] | None = None

    def is_kept(self, translation: str) -> bool:
        """Whether a translation holds it."""
        if self.kind == "amount":
            return numbers_kept(self.text, translation)
        if self.kind == "html":
            return Counter(_MARKUP.findall(translation)) == Counter(self.held) and _is_nested(translation)
        if self.kind == "glossary":
            return all(translation.count(one) >= number for one, number in Counter(self.held).items())
        return all(translation.count(one) == self.text.count(one) for one in self.held)


def _is_nested(text: str) -> bool:
    """Whether every element ends within the one that it begins in."""
    stack = []
    for tag in _MARKUP.findall(text):
        name = re.match(r"</?(\w+)", tag)
        if name is None or name[1] in ("br", "img", "script", "pre", "code"):
            continue
        if not tag.startswith("</"):
            stack.append(name[1])
        elif not stack or stack.pop() != name[1]:
            return False
    return not stack


def generated(language: Language, count: int, seed: int = 1) -> list[Item]:
    """Items of every kind in turn, the same ones for the same seed: seven of ten are `LITERALS`."""
    draw = random.Random(seed)
    kinds = [*LITERALS, *LITERALS, *(("amount", "html", "glossary") * 3)]
    return [_item(kinds[index % len(kinds)], language, draw) for index in range(count)]


def _item(kind: str, language: Language, draw: random.Random) -> Item:
    if kind == "amount":
        text = draw.choice(AMOUNTS[language])
        return Item(kind, text.replace("N", str(draw.randrange(13, 99))).replace(".D", f".{draw.randrange(10, 99)}"))
    if kind == "html":
        text = "".join(draw.sample(PAGES[language], draw.randint(1, 2)))
        return Item(kind, text, tuple(_MARKUP.findall(text)))
    first, *others = draw.choice(CARRIERS[language]).split("X")
    text, held = first, []
    for between in others:
        if kind == "glossary":
            term = draw.choice(list(TERMS[language]))
            put, back = (f"the {term}" if language == "en" else term), TERMS[language][term]
        else:
            put = back = LITERALS[kind](draw)
        text += put + between
        held.append(back)
    return Item(kind, text, tuple(held), TERMS[language] if kind == "glossary" else None)
