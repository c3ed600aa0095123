"""Sentence patterns for classes of amounts (`amounts.CLASSES`) that come with words: millions, units, dates.

`* ` stands before patterns that are held out. What is digits and signs alone is in `figure_patterns`.
"""

MILLIONS = """
    {body} made {millions} {when}. | {body}{when}赚了{millions}。
    {body} lost {millions} {when}. | {body}{when}亏了{millions}。
    {body} borrowed {millions}. | {body}借了{millions}。
    The new {building} cost {millions}. | 新{building}花了{millions}。
    {who} spent {millions} on the {building}. | {who}在{building}上花了{millions}。
    The house is worth {millions}. | 这套房子值{millions}。
    The budget is {millions}. | 预算是{millions}。
    {body} has {millions}. | {body}有{millions}。
    The land is worth {millions}. | 这块地值{millions}。
    {who} borrowed {millions} from the bank. | {who}向银行借了{millions}。
    {crowd} work here. | 有{crowd}在这里工作。
    Our app has {crowd}. | 我们的应用有{crowd}。
    {who} won {millions}. | {who}赢了{millions}。
    {who} sold the company for {millions}. | {who}以{millions}卖掉了公司。
    The film earned {millions} {when}. | 这部电影{when}赚了{millions}。
    The population of {city} is {people}. | {city}的人口是{people}。
    {crowd} live in {city}. | 有{crowd}住在{city}。
    {crowd} came to {city} {when}. | {when}有{crowd}来到{city}。
    About {crowd} use the app. | 大约有{crowd}使用这个应用。
    The number is {large}. | 这个数字是{large}。
    {body} needs {millions} and has {millions2}. | {body}需要{millions}，现有{millions2}。
    The cost rose from {millions} to {millions2}. | 成本从{millions}涨到了{millions2}。
    {body} sold the {building} for {millions}. | {body}以{millions}卖掉了{building}。
    {body} spent {millions} on the {building}. | {body}在{building}上花了{millions}。
    The {building} will cost {millions}. | {building}要花{millions}。
    The {building} was sold for {millions}. | {building}卖了{millions}。
    The company is worth {millions}. | 公司值{millions}。
    {someone} is worth {millions}. | {someone}的身家有{millions}。
    {who} lost {millions} {when}. | {who}{when}亏了{millions}。
    {who} earned {millions} {when}. | {who}{when}赚了{millions}。
    {name} owes the bank {millions}. | {name}欠银行{millions}。
    {body} paid {millions} for the land. | {body}花{millions}买了这块地。
    {body} wants {millions} for the {building}. | {body}的{building}要价{millions}。
    The game has {crowd}. | 游戏有{crowd}。
    {city} has {crowd}. | {city}有{crowd}。
    {crowd} visit the {building} every year. | 每年有{crowd}参观{building}。
    There were {crowd} here {when}. | {when}这里有{crowd}。
    {large} is more than {large2}. | {large}比{large2}多。
    In {year} {body} spent {millions}. | {year}{body}花了{millions}。
    {body} spent {millions} on {counted}. | {body}花{millions}买了{counted}。
    * {body} spent {millions} {when}. | {body}{when}花了{millions}。
    * The {building} is worth {millions}. | {building}值{millions}。
    * The company has {crowd}. | 公司有{crowd}。
    * {who} borrowed {millions} {when}. | {who}{when}借了{millions}。
"""

UNITS = """
    The {baggage} weighs {weight}. | {baggage}重{weight}。
    {who} bought {weight} of rice. | {who}买了{weight}大米。
    Add {weight} of {spice}. | 加{weight}{spice}。
    Add {volume} of {liquid}. | 加{volume}{liquid}。
    Drink {cup} of {liquid} every day. | 每天喝{cup}{liquid}。
    {who} drank {cup} of {liquid} today. | {who}今天喝了{cup}{liquid}。
    The bottle holds {volume}. | 这个瓶子能装{volume}。
    The {building} is {length} long. | {building}长{length}。
    The table is {length} wide. | 桌子宽{length}。
    It is {distance} from here to {city}. | 从这里到{city}有{distance}。
    {city} is {distance} from here. | {city}离这里有{distance}。
    {who} ran {distance} today. | {who}今天跑了{distance}。
    The water is {heat}. | 水温是{heat}。
    Heat the water to {heat}. | 把水加热到{heat}。
    It will be {heat} on {weekday}. | {weekday}气温是{heat}。
    The car goes at {speed}. | 汽车的速度是{speed}。
    The file is {storage}. | 文件大小是{storage}。
    The phone has {storage} of memory. | 手机有{storage}内存。
    The heater uses {power}. | 加热器用{power}。
    The park covers {area}. | 公园占地{area}。
    The box is {length} long and weighs {weight}. | 箱子长{length}，重{weight}。
    The {building} is {length} high. | {building}高{length}。
    The rope is {length} long. | 绳子长{length}。
    The bed is {length} long and {length2} wide. | 床长{length}，宽{length2}。
    The {baggage} is {length} wide. | {baggage}宽{length}。
    {who} drank {volume} of {liquid}. | {who}喝了{volume}{liquid}。
    {who} sold {volume} of {liquid}. | {who}卖了{volume}{liquid}。
    {who} bought {weight} of {spice}. | {who}买了{weight}{spice}。
    The nearest {place} is {distance} from here. | 最近的{place}离这里有{distance}。
    It was {heat} in {city} {past}. | {past}{city}气温是{heat}。
    The oven is at {heat}. | 烤箱是{heat}。
    * The {baggage} is {length} long. | {baggage}长{length}。
    * {who} bought {volume} of {liquid}. | {who}买了{volume}{liquid}。
    * The {building} is {distance} from here. | {building}离这里有{distance}。
    It will be {heat} at {time}. | {time}气温是{heat}。
    On {weekday} it will be {heat} in {city}. | {weekday}{city}气温是{heat}。
    {someone} needs {weight} of {spice}. | {someone}需要{weight}{spice}。
    * It will be {heat} in {city}. | {city}气温是{heat}。
"""

SEVERAL = """
    We sold {counted}, {counted2} and {counted3}. | 我们卖了{counted}、{counted2}和{counted3}。
    {who} bought {counted}, {counted2} and {counted3}. | {who}买了{counted}、{counted2}和{counted3}。
    There are {counted}, {counted2} and {counted3} here. | 这里有{counted}、{counted2}和{counted3}。
    We need {counted}, {counted2} and {counted3}. | 我们需要{counted}、{counted2}和{counted3}。
    {name} has {counted} and {counted2}. | {name}有{counted}和{counted2}。
    {who} sold {counted} and {counted2} {when}. | {who}{when}卖了{counted}和{counted2}。
    {someone} needs {counted} and {counted2}. | {someone}需要{counted}和{counted2}。
    {someone} has {counted}, {counted2} and {counted3}. | {someone}有{counted}、{counted2}和{counted3}。
    {name} sold {counted} for {price} on {weekday}. | {name}{weekday}以{price}卖了{counted}。
    {body} bought {counted} for {price} on {date}. | {body}在{date}花{price}买了{counted}。
    The ticket is {price} and the food is {price2}. | 车票{price}，吃饭{price2}。
    The rent is {price}, the food is {price2} and the ticket is {price3}. | 房租{price}，吃饭{price2}，车票{price3}。
    {who} paid {price} for {counted} on {date}. | {who}在{date}花{price}买了{counted}。
    {counted} cost {price}, and {counted2} cost {price2}. | {counted}要{price}，{counted2}要{price2}。
    Day 1: {price}. Day 2: {price2}. Day 3: {price3}. | 第1天：{price}。第2天：{price2}。第3天：{price3}。
    {name} got {mark} and {name2} got {mark2}. | {name}得了{mark}，{name2}得了{mark2}。
    The numbers are {decimal}, {decimal2} and {decimal3}. | 这些数字是{decimal}、{decimal2}和{decimal3}。
    At {time} we sold {counted} for {price}. | {time}我们以{price}卖了{counted}。
    {counted}, {counted2} and {counted3}, please. | 请给我{counted}、{counted2}和{counted3}。
    {who} {deed} {counted} and {counted2}. | {who}{deed}{counted}和{counted2}。
    {someone} {deed} {counted}, {counted2} and {counted3}. | {someone}{deed}{counted}、{counted2}和{counted3}。
    {body} {deed} {counted}, {counted2} and {counted3} {when}. | {body}{when}{deed}{counted}、{counted2}和{counted3}。
    On {date} {who} {deed} {counted} and {counted2}. | {date}{who}{deed}{counted}和{counted2}。
    {name} and {name2} {deed} {counted} and {counted2}. | {name}和{name2}{deed}{counted}和{counted2}。
    {name} {deed} {counted}, and {name2} {deed} {counted2}. | {name}{deed}{counted}，{name2}{deed}{counted2}。
    They need {counted}, {counted2} and {counted3}. | 他们需要{counted}、{counted2}和{counted3}。
    The {place} needs {counted}, {counted2} and {counted3}. | {place}需要{counted}、{counted2}和{counted3}。
    The {place} sold {counted}, {counted2} and {counted3}. | {place}卖了{counted}、{counted2}和{counted3}。
    {body} sold {counted} for {price} on {date}. | {body}在{date}以{price}卖了{counted}。
    {who} sold {counted} for {price} on {date}. | {who}在{date}以{price}卖了{counted}。
    {name} bought {counted} for {price} at {time}. | {name}{time}花{price}买了{counted}。
    On {date} {name} got {counted} for {price}. | {name}{date}花{price}买到了{counted}。
    The food is {price} and the rent is {price2}. | 吃饭{price}，房租{price2}。
    The rent is {price} and the ticket is {price2}. | 房租{price}，车票{price2}。
    The ticket is {price}, the rent is {price2} and the food is {price3}. | 车票{price}，房租{price2}，吃饭{price3}。
    The {fee} is {price} and the {fee2} is {price2}. | {fee}{price}，{fee2}{price2}。
    Food: {price}. Rent: {price2}. Ticket: {price3}. | 吃饭：{price}。房租：{price2}。车票：{price3}。
    The {fee} is {price}, the rent is {price2} and the food is {price3}. | {fee}{price}，房租{price2}，吃饭{price3}。
    The ticket is {price}, the food is {price2} and the {fee} is {price3}. | 车票{price}，吃饭{price2}，{fee}{price3}。
    {weekday}: {counted}. {weekday2}: {counted2}. | {weekday}：{counted}。{weekday2}：{counted2}。
    {counted} for {price}, {counted2} for {price2}. | {counted}{price}，{counted2}{price2}。
    * {name} sold {counted}, {counted2} and {counted3}. | {name}卖了{counted}、{counted2}和{counted3}。
    * {name} needs {counted}, {counted2} and {counted3}. | {name}需要{counted}、{counted2}和{counted3}。
    * {name} bought {counted} for {price} on {date}. | {name}在{date}花{price}买了{counted}。
    * The food is {price}, the rent is {price2} and the ticket is {price3}. | 吃饭{price}，房租{price2}，车票{price3}。
"""

CURRENCIES = """
    It costs {foreign} in {city}. | 在{city}要{foreign}。
    {someone} has {foreign}. | {someone}有{foreign}。
    {who} paid {foreign}. | {who}付了{foreign}。
    {goods.this} costs {foreign}. | {goods.this}要{foreign}。
    The fine is {foreign}. | 罚款是{foreign}。
    {who} sent {foreign} to {name}. | {who}给{name}转了{foreign}。
    Please pay {foreign} in cash. | 请用现金付{foreign}。
    The room costs {foreign} a night. | 房间一晚{foreign}。
    {foreign} is about {foreign2}. | {foreign}大约是{foreign2}。
    How much is {foreign}? | {foreign}是多少钱？
    I need {foreign} for the taxi. | 我坐出租车需要{foreign}。
    The ticket was {foreign}. | 票价是{foreign}。
    The coffee costs {foreign}. | 咖啡要{foreign}。
    The hotel costs {foreign}. | 酒店要{foreign}。
    Dinner was {foreign}. | 晚饭花了{foreign}。
    The taxi to the {building} was {foreign}. | 坐出租车到{building}花了{foreign}。
    A taxi in {city} costs {foreign}. | {city}的出租车要{foreign}。
    {goods.this} was {foreign}. | {goods.this}是{foreign}。
    {goods.this} costs {foreign} in {city}. | {goods.this}在{city}要{foreign}。
    {goods.many} are {foreign} in {city}. | {goods}在{city}是{foreign}。
    {name} spent {foreign} in {city}. | {name}在{city}花了{foreign}。
    {someone} has {foreign} in cash. | {someone}有{foreign}现金。
    {foreign} or {foreign2}? | {foreign}还是{foreign2}？
    * The taxi costs {foreign}. | 出租车要{foreign}。
    {someone} needs {foreign} for the hotel. | {someone}住酒店需要{foreign}。
    I need {foreign} in cash. | 我需要{foreign}现金。
    The rooms here are {foreign} a night. | 这里的房间是一晚{foreign}。
    * {someone} needs {foreign} in cash. | {someone}需要{foreign}现金。
    * The room was {foreign} a night. | 房间是一晚{foreign}。
    * {goods.this} was {foreign} in {city}. | {goods.this}在{city}是{foreign}。
"""

RANGES = """
    It takes {range} minutes. | 需要{range}分钟。
    We need {range} people. | 我们需要{range}个人。
    The trip takes {range} days. | 旅行需要{range}天。
    Groups of {range} people pay half. | {range}人的团体半价。
    It costs {price_range}. | 价格是{price_range}。
    The shop is open {hours}. | 商店的营业时间是{hours}。
    Tickets are {price_range}. | 票价是{price_range}。
    The meal costs {price_range}. | 这顿饭的价格是{price_range}。
    The {building} is open {hours} every day. | {building}每天的营业时间是{hours}。
    The {place} is open {hours}. | {place}的营业时间是{hours}。
    {someone} works {hours} on {weekday}. | {someone}{weekday}的工作时间是{hours}。
    {who} read {range} books a year. | {who}每年看{range}本书。
    Choose a number: {range}. | 请选一个数字：{range}。
    {someone} works {range} hours a week. | {someone}每周工作{range}小时。
    Delivery takes {range} days. | 送货需要{range}天。
    The meeting is {hours} on {weekday}. | {weekday}的会议时间是{hours}。
    The room is {price_range} a night. | 房间一晚{price_range}。
    The flight takes {range} hours. | 飞行需要{range}个小时。
    The test takes {range} minutes. | 考试需要{range}分钟。
    {someone} travels {range} days a year. | {someone}每年旅行{range}天。
    {someone} works {range} days a month. | {someone}每月工作{range}天。
    {name} runs {range} minutes a day. | {name}每天跑{range}分钟。
    There are {range} people in a group. | 一组有{range}个人。
    The hotel costs {price_range}. | 酒店的价格是{price_range}。
    The {goods} costs {price_range}. | {goods}的价格是{price_range}。
    A trip to {city} costs {price_range}. | 去{city}旅行的价格是{price_range}。
    The {place} was open {hours} on {date}. | {place}{date}的营业时间是{hours}。
    Is the {place} open {hours}? | {place}的营业时间是{hours}吗？
    {name} is here {hours} on {weekday}. | {name}{weekday}{hours}在这里。
    The {place} is closed {hours} on {weekday}. | {place}{weekday}{hours}不开门。
    The class takes {range} minutes. | 一节课需要{range}分钟。
    The game takes {range} minutes. | 比赛需要{range}分钟。
    The visit takes {range} minutes. | 参观需要{range}分钟。
    The visit takes {range} hours. | 参观需要{range}个小时。
    The drive takes {range} hours. | 开车需要{range}个小时。
    The repair takes {range} days. | 维修需要{range}天。
    The meeting needs {range} people. | 会议需要{range}个人。
    {someone} sleeps {range} hours a day. | {someone}每天睡{range}个小时。
    * The meeting takes {range} minutes. | 会议需要{range}分钟。
    * {someone} works {range} days a year. | {someone}每年工作{range}天。
    The flight costs {price_range}. | 机票的价格是{price_range}。
    This trip costs {price_range} a day. | 这次旅行的价格是一天{price_range}。
    How can a trip cost {price_range}? | 旅行的价格怎么会是{price_range}？
    On {weekday} the {place} is open {hours}. | {weekday}{place}的营业时间是{hours}。
    * The trip costs {price_range}. | 旅行的价格是{price_range}。
    * The {place} is open {hours} on {weekday}. | {place}{weekday}的营业时间是{hours}。
"""

WORD_DATES = """
    {someone} was born on {word_date}. | {someone}出生于{word_date}。
    The shop opened on {word_date}. | 商店是{word_date}开业的。
    The test was on {word_date}. | 考试是在{word_date}。
    {who} came back on {word_date}. | {who}在{word_date}回来了。
    The offer ended on {word_date}. | 优惠活动{word_date}结束了。
    {who} moved to {city} in {year}. | {who}{year}搬到了{city}。
    {who} moved house on {word_date}. | {who}在{word_date}搬了家。
    The bank opened on {word_date}. | 银行是{word_date}开业的。
    {someone} was born in {city} on {word_date}. | {someone}{word_date}出生在{city}。
    {someone} was born in {year}. | {someone}{year}出生。
    The test was from {word_date} to {word_date2}. | 考试从{word_date}到{word_date2}。
    The {building} was built in {year}. | {building}建于{year}。
    From {word_date} to {word_date2} the {place} was closed. | {word_date}到{word_date2}，{place}没有开门。
    Today is {word_date}. It is {weekday}. | 今天是{word_date}，{weekday}。
    {who} bought {goods.this} on {word_date}. | {who}在{word_date}买了{goods.this}。
    The contract is from {word_date}. | 合同从{word_date}开始。
    {who} came to {city} on {word_date}. | {who}在{word_date}来到{city}。
    {who} went to {city} on {word_date}. | {who}在{word_date}去了{city}。
    {who} went to {city} in {year}. | {who}{year}去了{city}。
    {who} returned to {city} on {word_date}. | {who}在{word_date}回到了{city}。
    {who} drove to {city} on {word_date}. | {who}在{word_date}开车去了{city}。
    {body} moved from {city} to {city2} on {word_date}. | {body}在{word_date}从{city}搬到了{city2}。
    {who} moved to {city} {when}. | {who}{when}搬到了{city}。
    {body} came to {city} in {year}. | {body}{year}来到{city}。
    The offer began on {word_date}. | 优惠活动{word_date}开始了。
    The holiday was from {word_date} to {word_date2}. | 假期从{word_date}到{word_date2}。
    The trip was from {word_date} to {word_date2}. | 旅行从{word_date}到{word_date2}。
    The contract was from {word_date} to {word_date2}. | 合同从{word_date}到{word_date2}。
    {who} worked here from {word_date} to {word_date2}. | {who}从{word_date}到{word_date2}在这里工作。
    {who} lived in {city} from {word_date} to {word_date2}. | {who}从{word_date}到{word_date2}住在{city}。
    The {place} was closed from {word_date} to {word_date2}. | {place}从{word_date}到{word_date2}没有开门。
    Not on {word_date}, but on {word_date2}. | 不是{word_date}，而是{word_date2}。
    The {building} closed on {word_date}. | {building}是{word_date}关门的。
    The hotel opened on {word_date}. | 酒店是{word_date}开业的。
    {someone} got married in {year} in {city}. | {someone}{year}在{city}结了婚。
    {someone} was born in {city} in {year}. | {someone}{year}出生在{city}。
    {someone} was born in {country}, in {year}. | {someone}{year}出生在{country}。
    The letter is from {word_date}. | 这封信是{word_date}写的。
    The photo was taken in {city} on {word_date}. | 这张照片是{word_date}在{city}拍的。
    {name}'s wedding was on {word_date}. | {name}的婚礼是在{word_date}。
    {who} started work on {word_date}. | {who}在{word_date}开始工作。
    On {word_date} {who} was in {city}. | {word_date}{who}在{city}。
    {who} paid {price} on {word_date}. | {who}在{word_date}付了{price}。
    The news is from {word_date}. | 这是{word_date}的新闻。
    * The {building} opened on {word_date}. | {building}是{word_date}开业的。
    * {who} moved to {city} on {word_date}. | {who}在{word_date}搬到了{city}。
    From {word_date} to {word_date2} there was an offer. | 从{word_date}到{word_date2}有优惠活动。
    The offer was on {word_date}. | 优惠活动是在{word_date}。
    The offer was not on {word_date}, but on {word_date2}. | 优惠活动不是在{word_date}，而是在{word_date2}。
    The course was from {word_date} to {word_date2}. | 课程从{word_date}到{word_date2}。
    The sale was from {word_date} to {word_date2}. | 特卖从{word_date}到{word_date2}。
    The exhibition was from {word_date} to {word_date2}. | 展览从{word_date}到{word_date2}。
    The offer ran from {year} to {year2}. | 优惠活动从{year}到{year2}。
    * The offer was from {word_date} to {word_date2}. | 优惠活动从{word_date}到{word_date2}。
    * {someone} was born in {year} in {city}. | {someone}{year}出生在{city}。
"""

PRICES = """
    Dinner for two was {price}. | 两个人的晚饭花了{price}。
    The repair will cost {price}. | 修理要{price}。
    {someone} earns {price} a month. | {someone}一个月赚{price}。
    {someone} earns {amount} a year. | {someone}一年赚{amount}。
    The cheapest one is {price}. | 最便宜的是{price}。
    The {goods} is now {price}. | {goods}现在{price}。
    {goods.many} start at {price}. | {goods}{price}起。
    I sold my {goods} for {price}. | 我以{price}卖掉了我的{goods}。
    The {place} charges {price}. | {place}收{price}。
    It was {price}, but I paid {price2}. | 原价{price}，我付了{price2}。
    Is it more than {price}? | 超过{price}吗？
    The ticket is {price} a day. | 票是一天{price}。
    A ticket for two costs {price}. | 双人票要{price}。
    The best {goods} is {price}. | 最好的{goods}是{price}。
    {who} sold the house for {amount}. | {who}以{amount}卖掉了房子。
    Is the rent more than {price} a month? | 房租一个月超过{price}吗？
    Is dinner less than {price}? | 晚饭不到{price}吗？
    Lunch for three was {price}. | 三个人的午饭花了{price}。
    Breakfast will cost {price}. | 早饭要{price}。
    The repair was {price}. | 修理花了{price}。
    {name} paid {price} for the repair. | {name}付了{price}修理费。
    * Lunch for two will cost {price}. | 两个人的午饭要{price}。
    * The cheapest {goods} is {price}. | 最便宜的{goods}是{price}。
    * {who} sold the {goods} for {amount}. | {who}以{amount}卖掉了{goods}。
    * Is the repair more than {price}? | 修理超过{price}吗？
    Lunch was {price}. | 午饭花了{price}。
"""
