import time, asyncio, pytest, logging
from shared.events import *
from shared.process import Process
from shared.settings import CommonSettings
from services.dispatch.settings import Settings
from services.dispatch import rules
from services.dispatch.inbound import replies
from shared.topics import *
import re
pytestmark = pytest.mark.connected
async def test_first(city):
    c = await city()
    await c.start("intake", "relay")
    t0 = time.monotonic()
    s = Settings(kafka=c.realm.kafka, postgres=c.realm.logins["dispatch"], topic_prefix=c.realm.prefix)
    p = Process("dispatch", s, lambda *a: [])
    p.hears_log(rules.REACTS, rules.react)
    import sys
    if "x":
        p.opens("replies", replies(s, p.clock), pattern=re.escape(s.topic_prefix + DISPATCH_REPLIES.of("")) + ".*")
    logging.getLogger("aiokafka").setLevel(logging.DEBUG)
    h = logging.FileHandler("/tmp/connected/aiokafka.log", mode="w"); h.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logging.getLogger("aiokafka").addHandler(h)
    await p.broker.start()
    print("started", time.monotonic() - t0)
    await asyncio.sleep(1)
    t0 = time.monotonic()
    print("record at", time.strftime("%H:%M:%S"))
    i = await c.record("a")
    while not await c.value("select es.drained()"): await asyncio.sleep(0.01)
    print("drained", time.monotonic() - t0)
    d = p._doors[0]
    while not any(st.ahead.offset for st in d._standing.values()): await asyncio.sleep(0.01)
    print("heard", time.monotonic() - t0)
    await p.broker.stop()
