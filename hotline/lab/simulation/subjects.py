"""The subjects of citizens' requests: in the proportions of 2020, how urgent each is, and words for it.

The ten main subjects and their shares are the city's own figures. The division of a main subject, the urgency
of its parts and every sentence are examples of the project. No sentence names a person.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hotline.lab.simulation.seeded_random import SeededRandom, Weighted
from shared.events import RequestType, Urgency


class CitizensSubject(NamedTuple):
    """One subject of the catalogue as citizens bring it up."""

    requests: float
    """How many in 2020, in ten thousands; parts add up to their main subject."""
    complaints: tuple[str, ...]
    """Sentences of requests on which somebody must act."""
    questions: tuple[str, ...]
    """Sentences of questions that the knowledge base answers."""
    critical: float = 0.0
    timely: float = 0.07
    complex: float = 0.02
    """Shares of the urgency classes; the rest is general."""


SUBJECTS: Final[dict[str, CitizensSubject]] = {
    "疫情防控": CitizensSubject(
        107.7,
        ("小区门口未查验健康码", "核酸检测点排队时间过长", "居家观察期间生活物资配送不到位"),
        ("咨询进京政策", "咨询核酸检测点开放时间", "咨询疫苗接种安排"),
        critical=0.03,
    ),
    "市场管理/无照经营": CitizensSubject(
        58.0, ("路边流动摊贩占道经营", "无照餐饮店油烟扰民"), ("咨询个体工商户登记流程",)
    ),
    "市场管理/消费纠纷": CitizensSubject(
        40.0, ("预付费健身卡无法退款", "网购商品与宣传不符商家拒绝退货"), ("咨询消费维权途径",)
    ),
    "公共服务/供水": CitizensSubject(
        10.0, ("小区停水无人维修", "自来水发黄有异味", "楼内水管漏水"), ("咨询水费缴纳方式",), 0.02, 0.88
    ),
    "公共服务/供电": CitizensSubject(
        8.0, ("小区夜间停电", "电表箱外露存在隐患"), ("咨询峰谷电价",), 0.03, 0.87
    ),
    "公共服务/供气": CitizensSubject(
        6.0, ("楼道内有燃气异味", "燃气表故障无法用气"), ("咨询燃气安检预约",), 0.08, 0.82
    ),
    "公共服务/供暖": CitizensSubject(
        12.0, ("家中暖气不热", "供暖管道漏水"), ("咨询供暖时间和收费标准",), 0.01, 0.89
    ),
    "公共服务/社区服务": CitizensSubject(
        28.8, ("社区老年餐桌停止营业", "便民服务站工作时间无人", "健身器材损坏"), ("咨询养老助残卡办理",)
    ),
    "住房/物业管理": CitizensSubject(
        33.0, ("电梯频繁故障物业不维修", "物业对楼道堆物不作为", "小区门禁损坏多日"), ("咨询物业费标准",)
    ),
    "住房/老旧小区改造": CitizensSubject(
        14.0, ("老楼加装电梯进展缓慢", "楼体保温改造后墙面开裂"), ("咨询加装电梯申请条件",), complex=0.4
    ),
    "住房/房产证办理": CitizensSubject(7.2, ("入住多年未办理房产证",), ("咨询不动产登记材料",), complex=0.6),
    "住房/房屋租赁": CitizensSubject(7.0, ("租房到期中介不退押金",), ("咨询公租房申请条件",)),
    "医疗卫生/就医服务": CitizensSubject(
        22.8,
        ("社区医院缺少常用药", "急诊等候时间过长"),
        ("咨询医保异地就医备案", "咨询预约挂号"),
        critical=0.05,
    ),
    "医疗卫生/环境卫生": CitizensSubject(
        37.0, ("垃圾站清运不及时有异味", "公共厕所无人清扫", "垃圾桶满溢"), ("咨询垃圾分类要求",)
    ),
    "城乡建设/违法建设": CitizensSubject(
        29.0, ("楼顶私搭乱建", "一层住户侵占公共绿地"), ("咨询违建举报途径",), complex=0.2
    ),
    "城乡建设/道路养护": CitizensSubject(
        13.8, ("路面坑洼积水", "便道砖破损"), ("咨询道路施工期限",), complex=0.2
    ),
    "城乡建设/市容环境": CitizensSubject(
        12.0, ("路灯长期不亮", "广告牌松动"), ("咨询共享单车停放规定",), complex=0.1
    ),
    "交通管理/停车秩序": CitizensSubject(
        28.2, ("消防通道被车辆占用", "居民停车难", "单位门前私设地锁"), ("咨询路侧停车缴费",)
    ),
    "交通管理/道路交通": CitizensSubject(
        11.0, ("路口信号灯配时不合理", "非机动车逆行严重"), ("咨询机动车限行规定",)
    ),
    "交通管理/轨道交通": CitizensSubject(
        8.0, ("地铁运行噪声影响休息", "地铁站自动扶梯停运"), ("咨询地铁首末班车",), complex=0.2
    ),
    "社会秩序/噪声扰民": CitizensSubject(
        30.0,
        ("工地夜间施工噪声扰民", "广场舞音响扰民", "楼下底商音乐扰民"),
        ("咨询夜间施工规定",),
        0.01,
        0.07,
        0.1,
    ),
    "社会秩序/邻里纠纷": CitizensSubject(
        16.5, ("楼上漏水协商不成", "邻居在楼道堆放杂物"), ("咨询人民调解",), 0.01
    ),
    "劳动社保/拖欠工资": CitizensSubject(
        20.0, ("装修队拖欠工资", "离职后单位不结清工资"), ("咨询劳动仲裁流程",), complex=0.15
    ),
    "劳动社保/社会保险": CitizensSubject(
        15.7, ("单位未缴纳社会保险",), ("咨询社保转移接续", "咨询养老金资格认证")
    ),
    "教育/入学入园": CitizensSubject(20.1, ("适龄儿童入园学位不足",), ("咨询义务教育入学政策",)),
    "教育/校外培训": CitizensSubject(15.0, ("培训机构停业不退费",), ("咨询培训机构资质查询",)),
}
"""Every subject of the example catalogue."""

BY_SHARE: Final = Weighted({name: subject.requests for name, subject in SUBJECTS.items()})

REQUEST_TYPES: Final = Weighted(
    {
        RequestType.HELP: 46,
        RequestType.COMPLAINT: 38,
        RequestType.REPORT: 9,
        RequestType.SUGGEST: 6,
        RequestType.PRAISE: 1,
    }
)
"""Types of the requests on which somebody must act, with their weights."""

WISHES: Final = (
    "希望有关部门尽快处理并反馈结果。",
    "已多次反映未得到解决,请协调处理。",
    "影响周边居民正常生活,请现场核实。",
    "希望明确处理时限。",
)

SINCE: Final = ("今天上午", "昨天", "近三天", "最近一周", "近一个月", "今年以来")


def urgency_of(subject: CitizensSubject, rng: SeededRandom) -> Urgency:
    """How urgent one request of this subject is."""
    share = rng.share()
    for urgency, part in (
        (Urgency.CRITICAL_2H, subject.critical),
        (Urgency.TIMELY_24H, subject.timely),
        (Urgency.COMPLEX_15D, subject.complex),
    ):
        if share < part:
            return urgency
        share -= part
    return Urgency.GENERAL_7D
