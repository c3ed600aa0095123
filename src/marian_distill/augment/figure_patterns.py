"""Sentence patterns for classes of amounts (`amounts.CLASSES`) that are digits and signs: codes, phones, fractions.

`* ` stands before patterns that are held out. `ANY` has what can be said of every amount, so that a class is written
the same whatever stands around it; it and `FIGURES`, long numbers whose digits repeat, are for training alone.
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
    {name}'s order number is {code}. | {name}的订单号是{code}。
    Your invoice number is {code}. | 您的发票号是{code}。
    My ticket number is {code}. | 我的票号是{code}。
    {who} wrote {code} on the form. | {who}在表格上写了{code}。
    Please put {code} on the form. | 请在表格上填{code}。
    It says {code} on the ticket. | 票上写着{code}。
    I can't find {baggage} {code}. | 我找不到{baggage}{code}了。
    {baggage} {code} is for {name}. | {baggage}{code}是给{name}的。
    Please open {baggage} {code}. | 请打开{baggage}{code}。
    {name} sent {baggage} {code} on {date}. | {name}在{date}寄了{baggage}{code}。
    Where is {name}'s {baggage} {code}? | {name}的{baggage}{code}在哪里？
    Where is contract {code}? | 合同{code}在哪里？
    {name} signed contract {code}. | {name}签了合同{code}。
    Invoice {code} is for {name}. | 发票{code}是{name}的。
    The codes are {code} and {code2}. | 代码是{code}和{code2}。
    Please change {code} to {code2}. | 请把{code}改成{code2}。
    Is it {code} or {code2}? | 是{code}还是{code2}？
    The code {code} is wrong. | 代码{code}不对。
    * Your order number is {code}. | 您的订单号是{code}。
    * Please write {code} on the ticket. | 请在票上写{code}。
    * Where is {baggage} {code}? | {baggage}{code}在哪里？
    * Contract {code} is for {name}. | 合同{code}是{name}的。
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
    {name}'s number is {phone}. | {name}的号码是{phone}。
    {name}'s home number is {phone}. | {name}家里的电话是{phone}。
    {name}'s office number is {phone}. | {name}的办公电话是{phone}。
    Your mobile number is {phone}. | 您的手机号是{phone}。
    Is {phone} {name}'s mobile number? | {phone}是{name}的手机号吗？
    Is {name}'s number {phone}? | {name}的号码是{phone}吗？
    Is the {place}'s fax number {phone}? | {place}的传真号码是{phone}吗？
    The {place}'s new number is {phone}. | {place}的新号码是{phone}。
    The phone number of the {place} is {phone}. | {place}的电话号码是{phone}。
    You can reach the {place} at {phone}. | 打{phone}可以联系{place}。
    You can call {name} at {phone}. | 打{phone}可以联系{name}。
    You can call me at {phone}. | 打{phone}可以找到我。
    Please call the {place} at {phone}. | 请打{phone}联系{place}。
    Text {name} at {phone}. | 请发短信到{phone}联系{name}。
    Text me at {phone} before {time}. | 请在{time}以前发短信到{phone}找我。
    Send a message to {phone} or {phone2}. | 请发短信到{phone}或{phone2}。
    Phone: {phone}. Fax: {phone2}. | 电话：{phone}。传真：{phone2}。
    {name} has a new number: {phone}. | {name}换了新号码：{phone}。
    Save this number: {phone}. | 请存一下这个号码：{phone}。
    {phone} does not answer. | {phone}没人接。
    {name} called {phone} at {time}. | {name}{time}打了{phone}。
    Call {phone} or {phone2}. | 请打{phone}或{phone2}。
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
    {name}'s balance is {debt}. | {name}的余额是{debt}。
    The balance of {name}'s account is {debt}. | {name}账户的余额是{debt}。
    The balance of the card is {debt}. | 卡的余额是{debt}。
    The card shows {debt}. | 卡上显示{debt}。
    The account went from {debt} to {debt2}. | 账户从{debt}变成了{debt2}。
    The temperature in {city} is {cold}. | {city}的气温是{cold}。
    The temperature was {cold} {past}. | {past}气温是{cold}。
    Set the fridge to {cold}. | 请把冰箱设为{cold}。
    Is the answer {minus} or {minus2}? | 答案是{minus}还是{minus2}？
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
    {who} used {fraction} of the {spice}. | {who}用了{fraction}的{spice}。
    {who} spilled {fraction} of the {liquid}. | {who}洒了{fraction}的{liquid}。
    {who} sold {share} of the {liquid}. | {who}卖了{share}的{liquid}。
    {who} drank {fraction} of the bottle. | {who}喝了这瓶的{fraction}。
    There is {share} of the {liquid} left. | 还剩{share}的{liquid}。
    About {share} of the tickets are left. | 大约还剩{share}的票。
    About {share} of the books are sold. | 大约{share}的书卖了。
    About {share} of the students came. | 大约{share}的学生来了。
    {body} has {share} of the money. | {body}有{share}的钱。
    Drink {fraction} cup of {liquid}. | 喝{fraction}杯{liquid}。
    Is it {fraction} or {fraction2}? | 是{fraction}还是{fraction2}？
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
    Version {version} of {app} has a mistake. | {app}的{version}版有错误。
    Version {version} of {app} came out on {date}. | {app}的{version}版于{date}发布。
    Do you have version {version} of {app}? | 你有{app}的{version}版吗？
    The new version of {app} is {version}. | {app}的新版本是{version}。
    The first version of {app} was {version}. | {app}的第一个版本是{version}。
    Is {version} the latest version of {app}? | {app}的最新版本是{version}吗？
    Is {app} still at version {version}? | {app}还是{version}版吗？
    Was {app} at version {version}? | {app}以前是{version}版吗？
    {app} went from version {version} to {version2}. | {app}从{version}版升到了{version2}版。
    Please install version {version}. | 请安装{version}版。
    Please use version {version}. | 请用{version}版。
    Do not download version {version}. | 请不要下载{version}版。
    {name} uses version {version} of {app}. | {name}用的是{app}的{version}版。
    The latest version is {version}, not {version2}. | 最新版本是{version}，不是{version2}。
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
    {name} got {mark}. | {name}得了{mark}分。
    The book got {mark} out of 10. | 这本书得了{mark}分，满分10分。
    The average is {decimal}, not {decimal2}. | 平均值是{decimal}，不是{decimal2}。
    The average fell from {decimal} to {decimal2}. | 平均值从{decimal}降到了{decimal2}。
    * The answer is {decimal} now. | 现在的答案是{decimal}。
    * {who} got {mark} out of 10. | {who}得了{mark}分，满分10分。
    * The average rose from {decimal} to {decimal2}. | 平均值从{decimal}涨到了{decimal2}。
"""

ANY = """
    It says {any} here. | 这里写着{any}。
    It says {any} on the {baggage}. | {baggage}上写着{any}。
    The sign says {any}. | 牌子上写着{any}。
    The email says {any}, not {any2}. | 邮件里写的是{any}，不是{any2}。
    The paper says {any}. | 报纸上写着{any}。
    {name} wrote {any} on the {baggage}. | {name}在{baggage}上写了{any}。
    {name} wrote {any} instead of {any2}. | {name}把{any2}写成了{any}。
    {who} said {any}. | {who}说的是{any}。
    {who} said {any}, and then {any2}. | {who}先说{any}，后来又说{any2}。
    I said {any}, not {any2}. | 我说的是{any}，不是{any2}。
    Did you say {any} or {any2}? | 你说的是{any}还是{any2}？
    Did {name} say {any}? | {name}说的是{any}吗？
    {name} changed {any} to {any2}. | {name}把{any}改成了{any2}。
    Please replace {any} with {any2}. | 请把{any}换成{any2}。
    Please write down {any}. | 请记下{any}。
    Please read this: {any}. | 请读一下：{any}。
    Where does it say {any}? | 哪里写着{any}？
    Why does it say {any} here? | 这里为什么写着{any}？
    Is {any} right? | {any}对吗？
    Here {any} is right, {any2} is wrong. | 这里{any}是对的，{any2}是错的。
    After {any} comes {any2}. | {any}后面是{any2}。
    First comes {any}, then {any2}, then {any3}. | 先是{any}，再是{any2}，然后是{any3}。
    You forgot {any}. | 你漏了{any}。
    The list is missing {any}. | 单子上漏了{any}。
    The list says {any}, {any2} and {any3}. | 单子上写着{any}、{any2}和{any3}。
    New: {any}. Old: {any2}. | 新：{any}。旧：{any2}。
    {name}: {any}. | {name}：{any}。
    {city}: {any}. {city2}: {any2}. | {city}：{any}。{city2}：{any2}。
    {weekday}: {any}. | {weekday}：{any}。
    I can't read it: {any} or {any2}? | 我看不清：是{any}还是{any2}？
    {name} asked me: {any}? | {name}问我：是{any}吗？
    My answer is: {any}. | 我的回答是：{any}。
"""

FIGURES = """
    Type {figures} here. | 请在这里键入{figures}。
    The meter shows {figures}. | 表上显示{figures}。
    Serial number: {figures}. | 序列号：{figures}。
    Account {figures} is closed. | 账户{figures}已经关闭。
    Member {figures} paid {price}. | 会员{figures}付了{price}。
    The winning number is {figures}, not {figures2}. | 中奖号码是{figures}，不是{figures2}。
    {name} typed {figures}. | {name}键入了{figures}。
    Send it to account {figures} by {time}. | 请在{time}以前把它转到账户{figures}。
"""
