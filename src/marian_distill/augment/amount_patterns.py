"""Sentence patterns for each class of amount (`amounts.CLASSES`); `* ` stands before those that are held out."""

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
    * {body} spent {millions} {when}. | {body}{when}花了{millions}。
    * The {building} is worth {millions}. | {building}值{millions}。
    * The company has {crowd}. | 公司有{crowd}。
    * {who} borrowed {millions} {when}. | {who}{when}借了{millions}。
"""

CODES = """
    The code is {code}. | 代码是{code}。
    Your tracking number is {code}. | 您的快递单号是{code}。
    My order is {code}. | 我的订单是{code}。
    The order number is {code}. | 订单号是{code}。
    Your booking is {code}. | 您的预订是{code}。
    Is {baggage} {code} here? | {baggage}{code}在这里吗？
    Please write {code} here. | 请在这里写{code}。
    Contract {code} is ready. | 合同{code}准备好了。
    Parcels {code1} and {code2} are here. | 包裹{code1}和{code2}在这里。
    Please enter {code}. | 请输入{code}。
    Use code {code} to get a discount. | 使用优惠码{code}可以打折。
    The password is {code}. | 密码是{code}。
    Ticket {code} is for {name}. | 票号{code}是{name}的。
    Model {code} costs {price}. | 型号{code}的价格是{price}。
    Contract {code} ends on {date}. | 合同{code}于{date}到期。
    Invoice {code} is not paid. | 发票{code}还没有付款。
    The part number is {code}, not {code2}. | 零件号是{code}，不是{code2}。
    Write {code} on the {baggage}. | 请在{baggage}上写{code}。
    Where is {code}? | {code}在哪里？
    {baggage} {code} has arrived. | {baggage}{code}到了。
    * Your order number is {code}. | 您的订单号是{code}。
    * Please write {code} on the ticket. | 请在票上写{code}。
    * Where is {baggage} {code}? | {baggage}{code}在哪里？
    * Contract {code} is for {name}. | 合同{code}是{name}的。
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
    * The {baggage} is {length} long. | {baggage}长{length}。
    * {who} bought {volume} of {liquid}. | {who}买了{volume}{liquid}。
    * The {building} is {distance} from here. | {building}离这里有{distance}。
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
    * {name} sold {counted}, {counted2} and {counted3}. | {name}卖了{counted}、{counted2}和{counted3}。
    * {name} needs {counted}, {counted2} and {counted3}. | {name}需要{counted}、{counted2}和{counted3}。
    * {name} bought {counted} for {price} on {date}. | {name}在{date}花{price}买了{counted}。
    * The food is {price}, the rent is {price2} and the ticket is {price3}. | 吃饭{price}，房租{price2}，车票{price3}。
"""

PHONES = """
    Please call me at {phone}. | 请打{phone}找我。
    My mobile number is {phone}. | 我的手机号是{phone}。
    The {place}'s number is {phone}. | {place}的电话是{phone}。
    Tel: {phone}. | 电话：{phone}。
    Fax: {phone}. | 传真：{phone}。
    For help, call {phone}. | 需要帮助请打{phone}。
    You can reach {name} at {phone}. | 打{phone}可以联系{name}。
    Send a message to {phone}. | 请发短信到{phone}。
    Is {phone} your number? | {phone}是你的号码吗？
    Someone called from {phone}. | 有人用{phone}打来了电话。
    {name} called from {phone}. | {name}用{phone}打来了电话。
    {name}'s new number is {phone}. | {name}的新号码是{phone}。
    Is the new number {phone}? | 新号码是{phone}吗？
    The number is {phone}, not {phone2}. | 号码是{phone}，不是{phone2}。
    Call {phone} before {time}. | 请在{time}以前打{phone}。
    * {name}'s mobile number is {phone}. | {name}的手机号是{phone}。
    * You can call the {place} at {phone}. | 打{phone}可以联系{place}。
    * Send a message to {name} at {phone}. | 请发短信到{phone}联系{name}。
    * Is the {place}'s number {phone}? | {place}的电话是{phone}吗？
"""

NEGATIVES = """
    It is {cold} outside. | 外面{cold}。
    The temperature fell to {cold}. | 气温降到了{cold}。
    It was {cold} in {city} {past}. | {past}{city}{cold}。
    Keep it at {cold}. | 请在{cold}下保存。
    It is {cold} in {city} now. | {city}现在{cold}。
    My balance is {debt}. | 我的余额是{debt}。
    The account shows {debt}. | 账户显示{debt}。
    The result is {minus}. | 结果是{minus}。
    The answer is {minus}, not {minus2}. | 答案是{minus}，不是{minus2}。
    The lowest number is {minus}. | 最小的数字是{minus}。
    {figure} changed by {minus}. | {figure}的变化是{minus}。
    {trend} was {decline}. | {trend}是{decline}。
    Set it to {minus}. | 请设为{minus}。
    * The answer is {minus}. | 答案是{minus}。
    * The temperature in {city} fell to {cold}. | {city}的气温降到了{cold}。
    * The balance of the account is {debt}. | 账户的余额是{debt}。
    * Set the temperature to {cold}. | 请把温度设为{cold}。
"""

FRACTIONS = """
    Add {fraction} cup of {spice}. | 加{fraction}杯{spice}。
    Drink {fraction} of the {liquid}. | 喝掉{fraction}的{liquid}。
    {who} ate {fraction} of the cake. | {who}吃了{fraction}的蛋糕。
    The tank is {fraction} full. | 油箱还有{fraction}。
    Use {fraction} spoon of {spice}. | 用{fraction}勺{spice}。
    About {share} of the people like it. | 大约{share}的人喜欢它。
    At least {share} of the work is done. | 至少{share}的工作做完了。
    {who} spent {share} of the money. | {who}花了{share}的钱。
    {body} sold {share} of the tickets. | {body}卖了{share}的票。
    The answer is {fraction}. | 答案是{fraction}。
    {who} read {share} of the book. | {who}看了这本书的{share}。
    Is {fraction} more than {fraction2}? | {fraction}比{fraction2}大吗？
    * {who} drank {fraction} of the {liquid}. | {who}喝了{fraction}的{liquid}。
    * {body} spent {share} of the money. | {body}花了{share}的钱。
    * About {share} of the tickets are sold. | 大约{share}的票卖了。
    * Use {fraction} cup of {spice}. | 用{fraction}杯{spice}。
"""

VERSIONS = """
    Please update to version {version}. | 请更新到{version}版。
    Version {version} is here. | {version}版来了。
    {app} is now at version {version}. | {app}现在是{version}版。
    Download version {version} of {app}. | 请下载{app}的{version}版。
    My phone runs {software} {release}. | 我的手机用的是{software}{release}。
    {software} {release} is faster than {release2}. | {software}{release}比{release2}快。
    Version {version} has a mistake. | {version}版有错误。
    The problem began with version {version}. | 这个问题从{version}版开始。
    You need version {version} or later. | 您需要{version}版或更新的版本。
    The latest version is {version}. | 最新版本是{version}。
    Version {version} came out on {date}. | {version}版于{date}发布。
    Do you have version {version}? | 你有{version}版吗？
    * Version {version} of {app} is here. | {app}的{version}版来了。
    * Please download version {version}. | 请下载{version}版。
    * The latest version of {app} is {version}. | {app}的最新版本是{version}。
    * Is {app} at version {version}? | {app}是{version}版吗？
"""

PERCENTAGES = """
    {rate} is {percent}. | {rate}是{percent}。
    {figure} rose by {percent} {when}. | {figure}{when}涨了{percent}。
    {rate} fell to {percent}. | {rate}降到了{percent}。
    {rate} went from {percent} to {percent2}. | {rate}从{percent}变成了{percent2}。
    About {percent} of the people said yes. | 大约{percent}的人同意。
    {percent} of the students passed. | {percent}的学生通过了。
    The battery is at {percent}. | 电量还有{percent}。
    {who} saved {percent}. | {who}节省了{percent}。
    The download is {percent} done. | 下载完成了{percent}。
    The bank pays {percent} a year. | 银行每年付{percent}的利息。
    Only {percent} of the tickets are left. | 只剩下{percent}的票。
    There is a {percent} chance of rain. | 下雨的可能性是{percent}。
    * {figure} fell by {percent} {when}. | {figure}{when}降了{percent}。
    * About {percent} of the students said yes. | 大约{percent}的学生同意。
    * {percent} of the work is done. | {percent}的工作完成了。
    * {rate} rose from {percent} to {percent2}. | {rate}从{percent}涨到了{percent2}。
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
    * The taxi costs {foreign}. | 出租车要{foreign}。
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
    * The meeting takes {range} minutes. | 会议需要{range}分钟。
    * {someone} works {range} days a year. | {someone}每年工作{range}天。
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
    * The {building} opened on {word_date}. | {building}是{word_date}开业的。
    * {who} moved to {city} on {word_date}. | {who}在{word_date}搬到了{city}。
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
    * Lunch for two will cost {price}. | 两个人的午饭要{price}。
    * The cheapest {goods} is {price}. | 最便宜的{goods}是{price}。
    * {who} sold the {goods} for {amount}. | {who}以{amount}卖掉了{goods}。
    * Is the repair more than {price}? | 修理超过{price}吗？
    Lunch was {price}. | 午饭花了{price}。
"""

DECIMALS = """
    The score is {decimal}. | 分数是{decimal}。
    {who} got {decimal} points. | {who}得了{decimal}分。
    The average is {decimal}. | 平均值是{decimal}。
    The film got {mark} out of 10. | 这部电影得了{mark}分，满分10分。
    The number rose from {decimal} to {decimal2}. | 数字从{decimal}涨到了{decimal2}。
    Is {decimal} less than {decimal2}? | {decimal}比{decimal2}小吗？
    The answer should be {decimal}. | 答案应该是{decimal}。
    {who} wrote {decimal}. | {who}写了{decimal}。
    The value is {decimal} now. | 现在的值是{decimal}。
    Please enter {decimal}, not {decimal2}. | 请输入{decimal}，不是{decimal2}。
    * The answer is {decimal} now. | 现在的答案是{decimal}。
    * {who} got {mark} out of 10. | {who}得了{mark}分，满分10分。
    * The average rose from {decimal} to {decimal2}. | 平均值从{decimal}涨到了{decimal2}。
"""
