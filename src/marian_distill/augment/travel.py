"""Travel: people and places, dates and times, flights and trains, hotels, directions, help; and everyday sentences."""

from marian_distill.augment import everyday
from marian_distill.augment.facts import COUNTRY, DATE, EVENING, MONTH, MORNING, TIME, WEEKDAY, WEEKDAYS
from marian_distill.augment.grammar import closed, nouns, one, read_patterns, words
from marian_distill.augment.money import price_slot
from marian_distill.augment.words import (
    BOOKING,
    BUS,
    DISTANCE,
    FLIGHT,
    GATE,
    MINUTES,
    NAMES,
    PHONE,
    PLATFORM,
    ROOM_NUMBER,
    SEAT,
    TRAIN,
)

CITIES = words(
    """Beijing = 北京, Shanghai = 上海, Guangzhou = 广州, Shenzhen = 深圳, Chengdu = 成都, Hangzhou = 杭州,
    Xi'an = 西安,
    Nanjing = 南京, Wuhan = 武汉, Hong Kong = 香港, Taipei = 台北, Tokyo = 东京, Osaka = 大阪, Seoul = 首尔,
    Bangkok = 曼谷, Hanoi = 河内, London = 伦敦, Paris = 巴黎, Berlin = 柏林, Rome = 罗马,
    Madrid = 马德里, Moscow = 莫斯科, New York = 纽约, Boston = 波士顿, Chicago = 芝加哥,
    Toronto = 多伦多, Sydney = 悉尼"""
)
# In a town; "the" stands before each of them. Shops are what opens and closes.
SHOPS = nouns(
    "个",
    """museum = 博物馆, bank = 银行, pharmacy = 药店, supermarket = 超市, park = 公园, restaurant = 餐厅,
    library = 图书馆,
    post office = 邮局, coffee shop = 咖啡店, ticket office = 售票处, bookshop = 书店""",
)
PLACES = (
    *SHOPS,
    *nouns(
        "个",
        """train station = 火车站, bus stop = 公交车站, subway station = 地铁站, airport = 机场, hotel = 酒店,
        hospital = 医院, police station = 警察局, school = 学校, toilet = 洗手间""",
    ),
)
DOCUMENTS = nouns("张", "passport = 护照, ticket = 票, visa = 签证, boarding pass = 登机牌, room card = 房卡")
BELONGINGS = (
    *DOCUMENTS,
    *nouns(
        "个", "wallet = 钱包, phone = 手机, bag = 包, suitcase = 行李箱, key = 钥匙, camera = 相机, umbrella = 雨伞"
    ),
)
ROOMS = nouns(
    "间", "single room = 单人间, double room = 双人间, twin room = 双床房, family room = 家庭房, suite = 套房"
)
ROOM_THINGS = words(
    """air conditioner = 空调, shower = 淋浴, TV = 电视, light = 灯, lock = 门锁, Wi-Fi = Wi-Fi, heater = 暖气,
    fridge = 冰箱"""
)
SUPPLIES = (
    *nouns("条", "towel = 毛巾, blanket = 毯子"),
    *nouns("个", "pillow = 枕头, hair dryer = 吹风机"),
    *nouns("把", "key = 钥匙"),
    *nouns("瓶", "bottle of water / bottles of water = 水"),
)
LATER = (
    *words("tomorrow = 明天, next week = 下周, next month = 下个月, next year = 明年"),
    *(one(*weekday.forms["next"]) for weekday in WEEKDAYS),
)
FLOORS = words("first = 一, second = 二, third = 三, fourth = 四, fifth = 五, sixth = 六, seventh = 七, eighth = 八")

SLOTS = {
    **everyday.SLOTS,
    "belonging": closed(BELONGINGS),
    "booking": BOOKING,
    "bus": BUS,
    "call": closed(
        words("a doctor = 叫医生, a taxi = 叫出租车, an ambulance = 叫救护车, the police = 报警, the manager = 叫经理")
    ),
    "city": closed(CITIES),
    "country": COUNTRY,
    "date": DATE,
    "distance": DISTANCE,
    "document": closed(DOCUMENTS),
    "evening": EVENING,
    "flight": FLIGHT,
    "floor": closed(FLOORS),
    "gate": GATE,
    "later": closed(LATER),
    "luggage": closed(nouns("件", "piece of luggage / pieces of luggage = 行李")),
    "minutes": MINUTES,
    "month": MONTH,
    "morning": MORNING,
    "phone": PHONE,
    "place": closed(PLACES),
    "platform": PLATFORM,
    "price": price_slot(most_digits=3),
    "room": closed(ROOMS),
    "room_number": ROOM_NUMBER,
    "room_thing": closed(ROOM_THINGS),
    "seat": SEAT,
    "seat_kind": closed(nouns("个", "window seat = 靠窗的座位, aisle seat = 靠过道的座位")),
    "shop": closed(SHOPS),
    "side": closed(words("left = 左, right = 右")),
    "supply": closed(SUPPLIES),
    "symptom": closed(
        words("headache = 头疼, stomachache = 肚子疼, toothache = 牙疼, fever = 发烧了, cough = 有点咳嗽")
    ),
    "terminal": closed([one(str(n), str(n), keep=[str(n)]) for n in range(1, 6)]),
    "time": TIME,
    "train": TRAIN,
    "traveller": closed((*NAMES, *NAMES, *words("he = 他, she = 她"), *everyday.RELATIVES)),
    "trip": closed(words("one-way = 单程, round-trip = 往返")),
    "weather": closed(words("hot = 很热, cold = 很冷, warm = 很暖和, cool = 很凉快, sunny = 晴朗, cloudy = 多云")),
    "weekday": WEEKDAY,
    "when": closed((*words("today = 今天, tonight = 今晚"), *LATER)),
}

PLANS = """
    {traveller} is going to {city} on {date}. | {traveller}会在{date}去{city}。
    {traveller} is going to {country} on {date}. | {traveller}会在{date}去{country}。
    {traveller} is going to {city} {when}. | {traveller}{when}去{city}。
    {traveller} will fly to {city} on {date}. | {traveller}会在{date}飞往{city}。
    {traveller} will arrive in {city} on {date}. | {traveller}会在{date}到达{city}。
    * {traveller} will arrive in {city} at {time}. | {traveller}会在{time}到达{city}。
    {traveller} left {city1} for {city2} on {date}. | {traveller}在{date}离开{city1}去了{city2}。
    * {traveller} left {city} on {date}. | {traveller}在{date}离开了{city}。
    I'm going to {city} {when}. | 我{when}去{city}。
    I'm going to {city} on {date}. | 我会在{date}去{city}。
    * I will fly to {country} {when}. | 我{when}飞往{country}。
    We will arrive on {date}. | 我们会在{date}到达。
    Are you going to {city} {when}? | 你{when}去{city}吗？
    Is {traveller} going to {city} on {date}? | {traveller}会在{date}去{city}吗？
    When are you going to {city}? | 你什么时候去{city}？
    When is {traveller} coming to {city}? | {traveller}什么时候来{city}？
    {traveller} lives in {city}. | {traveller}住在{city}。
    I live in {city}. | 我住在{city}。
    {traveller} is from {country}. | {traveller}来自{country}。
    I'm from {country}. | 我来自{country}。
    Are you from {country}? | 你来自{country}吗？
    Have you been to {city}? | 你去过{city}吗？
    I have been to {country}. | 我去过{country}。
    * Have you been to {country}? | 你去过{country}吗？
    I have never been to {city}. | 我没有去过{city}。
    I'd like to visit {country} {later}. | 我想{later}去{country}。
    We stayed in {city} for {count} days. | 我们在{city}住了{count}天。
    I will stay in {city} for {count} days. | 我会在{city}住{count}天。
    This is my first time in {city}. | 这是我第一次来{city}。
    The weather in {city} is {weather}. | {city}天气{weather}。
    It is {weather} in {city} in {month}. | {city}{month}天气{weather}。
    My birthday is in {month}. | 我的生日在{month}。
    My birthday is on {date}. | 我的生日是{date}。
    Today is {date}. | 今天是{date}。
    See you on {date}. | {date}见。
    See you at {time}. | {time}见。
    See you {later}. | {later}见。
    It's {time} now. | 现在是{time}。
    What time is it? | 现在几点？
    Let's meet at {time}. | 我们{time}见面吧。
    Let's meet at the {place} at {time}. | 我们{time}在{place}见面吧。
    * Let's meet at the {place} {later}. | 我们{later}在{place}见面吧。
    The meeting is on {date}. | 会议在{date}举行。
    The meeting is on {date} at {time}. | 会议在{date}举行，时间是{time}。
    The {shop} is closed on {weekday.many}. | {shop}{weekday}不开门。
    The {shop} opens at {morning}. | {shop}{morning}开门。
    The {shop} closes at {evening}. | {shop}{evening}关门。
    * The {shop} is open on {date}. | {shop}{date}开门。
    Is the {shop} open today? | {shop}今天开门吗？
"""

FLIGHTS = """
    Flight {flight} leaves at {time}. | {flight}航班{time}起飞。
    Flight {flight} to {city} leaves at {time}. | 飞往{city}的{flight}航班{time}起飞。
    Flight {flight} arrives at {time}. | {flight}航班{time}到达。
    * Flight {flight} arrives in {city} at {time}. | {flight}航班{time}到达{city}。
    Flight {flight} is late. | {flight}航班晚点了。
    Flight {flight} to {city} is late. | 飞往{city}的{flight}航班晚点了。
    Flight {flight} is {minutes} minutes late. | {flight}航班晚点{minutes}分钟。
    Flight {flight} is on time. | {flight}航班准点。
    Is flight {flight} on time? | {flight}航班准点吗？
    * Is flight {flight} late? | {flight}航班晚点了吗？
    Flight {flight} has been cancelled. | {flight}航班取消了。
    What time does flight {flight} leave? | {flight}航班几点起飞？
    What time does flight {flight} arrive? | {flight}航班几点到达？
    My flight is {flight}. | 我的航班是{flight}。
    Where is gate {gate}? | {gate}登机口在哪里？
    Please go to gate {gate}. | 请到{gate}登机口。
    Your gate is {gate}. | 您的登机口是{gate}。
    * My gate is {gate}. | 我的登机口是{gate}。
    Flight {flight} is boarding at gate {gate}. | {flight}航班在{gate}登机口登机。
    Boarding starts at {time}. | {time}开始登机。
    Flight {flight} leaves from Terminal {terminal}. | {flight}航班从{terminal}号航站楼起飞。
    Where is Terminal {terminal}? | {terminal}号航站楼在哪里？
    Your seat is {seat}. | 您的座位是{seat}。
    My seat is {seat}. | 我的座位是{seat}。
    Where is seat {seat}? | {seat}座在哪里？
    Is this seat {seat}? | 这是{seat}座吗？
    Can I change seat {seat1} to {seat2}? | 可以把{seat1}座换成{seat2}座吗？
    I'd like {seat_kind.a}, please. | 我想要{seat_kind.a}，谢谢。
    I'd like to check in for flight {flight}. | 我想办理{flight}航班的登机手续。
    I have {count} {luggage.many}. | 我有{count}件{luggage}。
    Where can I get my luggage? | 在哪里取行李？
    My luggage is not here. | 我的行李不在这里。
    Can I see your {document}? | 可以看一下您的{document}吗？
    Here is my {belonging}. | 这是我的{belonging}。
    I can't find my {belonging}. | 我找不到我的{belonging}了。
    I lost my {belonging} at the {place}. | 我在{place}丢了{belonging}。
    * {traveller} lost {belonging.a} at the {place}. | {traveller}在{place}丢了{belonging}。
    Have you seen my {belonging}? | 你看到我的{belonging}了吗？
    I'd like to book a flight from {city1} to {city2}. | 我想订一张从{city1}到{city2}的机票。
    I'd like to book a flight to {city} on {date}. | 我想订一张{date}飞往{city}的机票。
"""

TRAINS = """
    Train {train} leaves at {time}. | {train}次列车{time}发车。
    Train {train} to {city} leaves at {time}. | 开往{city}的{train}次列车{time}发车。
    Train {train} arrives at {time}. | {train}次列车{time}到达。
    Train {train} is late. | {train}次列车晚点了。
    * Train {train} is {minutes} minutes late. | {train}次列车晚点{minutes}分钟。
    Train {train} leaves from platform {platform}. | {train}次列车从{platform}号站台发车。
    Where is platform {platform}? | {platform}号站台在哪里？
    Please go to platform {platform}. | 请到{platform}号站台。
    What time does train {train} leave? | {train}次列车几点发车？
    * What time does train {train} arrive? | {train}次列车几点到达？
    Is this the train to {city}? | 这是去{city}的火车吗？
    What time is the next train to {city}? | 下一班去{city}的火车几点开？
    Does train {train} go to {city}? | {train}次列车去{city}吗？
    {traveller} will take train {train} to {city}. | {traveller}会坐{train}次列车去{city}。
    A ticket to {city}, please. | 请给我一张去{city}的票。
    {count} tickets to {city}, please. | 请给我{count}张去{city}的票。
    A ticket to {city} on {date}, please. | 请给我一张{date}去{city}的票。
    A {trip} ticket to {city}, please. | 请给我一张去{city}的{trip}票。
    * {count} {trip} tickets to {city}, please. | 请给我{count}张去{city}的{trip}票。
    How much is a ticket to {city}? | 去{city}的票多少钱？
    A ticket to {city} is {price}. | 去{city}的票是{price}。
    A ticket from {city1} to {city2} is {price}. | 从{city1}到{city2}的票是{price}。
    I'd like to change my ticket to {date}. | 我想把票改到{date}。
    I'd like to cancel my ticket for {date}. | 我想取消{date}的票。
    Take bus {bus} to the {place}. | 坐{bus}路公交车到{place}。
    Does bus {bus} go to the {place}? | {bus}路公交车到{place}吗？
    Where can I take bus {bus}? | 在哪里坐{bus}路公交车？
    Which bus goes to the {place}? | 哪路公交车到{place}？
    Please take me to the {place}. | 请送我到{place}。
    * Please take me to Terminal {terminal}. | 请送我到{terminal}号航站楼。
    How much is a taxi to the {place}? | 坐出租车到{place}多少钱？
"""

HOTEL = """
    I'd like {room.a}, please. | 我想要{room.a}，谢谢。
    I'd like {room.a} for {count} nights. | 我想要{room.a}，住{count}晚。
    I'd like to book {room.a} for {date}. | 我想订{room.a}，{date}入住。
    We'd like {room.a}, please. | 我们想要{room.a}，谢谢。
    * We'd like to book {room.a} for {count} nights. | 我们想订{room.a}，住{count}晚。
    Do you have {room.a} for {date}? | {date}有{room}吗？
    How much is {room.a}? | {room.a}多少钱？
    {room.a} is {price} a night. | {room.a}一晚{price}。
    How much is it for {count} nights? | 住{count}晚多少钱？
    I have a booking. | 我有预订。
    I have a booking for {date}. | 我有{date}的预订。
    My booking number is {booking}. | 我的预订号是{booking}。
    I'd like to cancel booking {booking}. | 我想取消预订{booking}。
    I'd like to check in. | 我想办理入住。
    I'd like to check out. | 我想退房。
    What time is check-out? | 几点退房？
    Check-in is after {time}. | {time}以后可以入住。
    Check-out is before {time}. | 请在{time}以前退房。
    Your room number is {room_number}. | 您的房间号是{room_number}。
    My room number is {room_number}. | 我的房间号是{room_number}。
    Your room is on the {floor} floor. | 您的房间在{floor}楼。
    * The {place} is on the {floor} floor. | {place}在{floor}楼。
    Where is room {room_number}? | {room_number}房间在哪里？
    The key for room {room_number}, please. | 请给我{room_number}房间的钥匙。
    The {room_thing} in room {room_number} is broken. | {room_number}房间的{room_thing}坏了。
    The {room_thing} in my room is broken. | 我房间的{room_thing}坏了。
    * Is the {room_thing} broken? | {room_thing}坏了吗？
    Can I have another {supply}? | 可以再给我一{supply.measure}{supply}吗？
    Please bring {supply.a} to room {room_number}. | 请送{supply.a}到{room_number}房间。
    {count} {supply.many}, please. | 请给我{count}{supply.measure}{supply}。
    Breakfast starts at {morning}. | 早餐{morning}开始。
    What time is breakfast? | 早餐几点开始？
    Please wake me up at {morning}. | 请在{morning}叫醒我。
    Is breakfast included? | 含早餐吗？
    The Wi-Fi password is {booking}. | Wi-Fi密码是{booking}。
    What is the Wi-Fi password? | Wi-Fi密码是什么？
    My phone number is {phone}. | 我的电话号码是{phone}。
    Call me at {phone}. | 打{phone}找我。
    * Please call {phone}. | 请打{phone}。
"""

DIRECTIONS_AND_HELP = """
    Where is the {place}? | {place}在哪里？
    Where is the {place}, please? | 请问{place}在哪里？
    Excuse me, where is the {place}? | 请问，{place}在哪里？
    Where is the nearest {place}? | 最近的{place}在哪里？
    How do I get to the {place}? | 去{place}怎么走？
    How do I get to the {place1} from the {place2}? | 从{place2}去{place1}怎么走？
    Is there {place.a} near here? | 这附近有{place}吗？
    * Is there {place.a} near the {place2}? | {place2}附近有{place}吗？
    Is the {place} far from here? | {place}离这里远吗？
    The {place} is on the {side}. | {place}在{side}边。
    The {place} is next to the {place2}. | {place}在{place2}旁边。
    The {place} is behind the {place2}. | {place}在{place2}后面。
    Turn {side}. | 向{side}转。
    Turn {side} at the {place}. | 在{place}向{side}转。
    Go straight for {distance} metres. | 直走{distance}米。
    * Go straight and turn {side}. | 直走，向{side}转。
    Go straight for {distance} metres and turn {side}. | 直走{distance}米，然后向{side}转。
    The {place} is {distance} metres from here. | {place}离这里{distance}米。
    It takes {minutes} minutes to walk to the {place}. | 走到{place}要{minutes}分钟。
    It takes {minutes} minutes by taxi. | 坐出租车要{minutes}分钟。
    How long does it take to get to the {place}? | 到{place}要多久？
    I'm looking for the {place}. | 我在找{place}。
    {traveller} is at the {place}. | {traveller}在{place}。
    I'm at the {place} now. | 我现在在{place}。
    Let's go to the {place}. | 我们去{place}吧。
    I want to go to the {place}. | 我想去{place}。
    Can you help me? | 你可以帮我吗？
    Help! | 救命！
    I'm lost. | 我迷路了。
    Please call {call}. | 请{call}。
    Could you call {call}, please? | 可以帮我{call}吗？
    I need a doctor. | 我需要医生。
    I have a {symptom}. | 我{symptom}。
    * {traveller} has a {symptom}. | {traveller}{symptom}。
    Could you take a photo of us? | 你可以帮我们拍张照吗？
    Where can I buy {thing.a}? | 在哪里可以买到{thing}？
    Can I use your {tool}? | 可以用一下你的{tool}吗？
"""

PATTERNS = read_patterns("travel", SLOTS, everyday.EVERYDAY + PLANS + FLIGHTS + TRAINS + HOTEL + DIRECTIONS_AND_HELP)
