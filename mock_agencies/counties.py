"""The ten counties of Yichun 宜春 (china-facts §2.3), where the world's people live."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SLOTS: Final = 44
"""ID numbers of one sex and birth date that each of the nine smaller counties may give out; Fengcheng has the first 101."""
_FIRST: Final = 101


@dataclass(frozen=True, eq=False)
class County:
    """A county, and where its share of every series of numbers begins: no number is given out in two of them."""

    code: str
    name: str
    short: str
    """What its certificates and documents call it."""
    pinyin: str
    seat: str
    """The town or street of its government."""
    towns: Mapping[str, str]
    """3 digits (§2.4) -> name."""
    index: int

    @property
    def serials(self) -> range:
        """Serial numbers of its people of one sex and birth date."""
        begin = _FIRST + _SLOTS * (self.index - 1) if self.index else 0
        return range(begin, begin + (_SLOTS if self.index else _FIRST))

    @property
    def credit_serial(self) -> int:
        """The serial number before its first credit code."""
        return 10_000 * self.index

    @property
    def tag(self) -> str:
        """What sets its bureaus' own numbers apart from other counties'; Fengcheng's came first and have nothing."""
        return self.code if self.index else ""


def _towns(zhen: str, xiang: str) -> dict[str, str]:
    """Towns from 101, townships from 201, in the order given."""
    return {f"{101 + i}": f"{name}镇" for i, name in enumerate(zhen.split())} | {
        f"{201 + i}": f"{name}乡" for i, name in enumerate(xiang.split())
    }


FENGCHENG: Final = County("360981", "丰城市", "丰", "fengcheng", "剑光街道", {
    "101": "白土镇", "102": "袁渡镇", "104": "张巷镇", "105": "杜市镇", "106": "淘沙镇", "107": "秀市镇", "109": "洛市镇",
    "110": "铁路镇", "111": "丽村镇", "115": "董家镇", "116": "隍城镇", "119": "小港镇", "120": "石滩镇", "121": "桥东镇",
    "122": "荣塘镇", "123": "拖船镇", "124": "泉港镇", "125": "梅林镇", "126": "曲江镇", "127": "上塘镇", "201": "筱塘乡",
    "202": "段潭乡", "203": "蕉坑乡", "204": "石江乡", "205": "荷湖乡", "206": "湖塘乡", "207": "同田乡",
}, 0)  # fmt: skip
"""The pilot. Its rural towns as in the 2023 national table (china-facts §2.4); those of the others are numbered in passing."""

COUNTIES: Final[Mapping[str, County]] = {
    county.code: county
    for county in (
        FENGCHENG,
        County("360902", "袁州区", "袁", "yuanzhou", "灵泉街道", _towns("彬江 西村 金瑞 温汤 三阳 慈化 天台 洪塘 新坊 寨下", "楠木 柏木"), 1),
        County("360921", "奉新县", "奉", "fengxin", "冯川镇", _towns("冯川 赤岸 赤田 宋埠 干洲 澡下 会埠 罗市 上富 甘坊", "仰山 柳溪"), 2),
        County("360922", "万载县", "万", "wanzai", "康乐街道", _towns("株潭 黄茅 潭埠 双桥 高村 罗城 三兴 高城 白良", "鹅峰 马步 赤兴"), 3),
        County("360923", "上高县", "上", "shanggao", "敖阳街道", _towns("田心 徐家渡 锦江 泗溪 翰堂 南港 蒙山", "芦洲 塔下 镇渡 野市"), 4),
        County("360924", "宜丰县", "宜", "yifeng", "新昌镇", _towns("新昌 澄塘 棠浦 新庄 潭山 芳溪 石市 黄岗", "花桥 同安 天宝 桥西"), 5),
        County("360925", "靖安县", "靖", "jingan", "双溪镇", _towns("双溪 仁首 宝峰 高湖 躁都", "香田 水口 中源 罗湾 三爪仑"), 6),
        County("360926", "铜鼓县", "铜", "tonggu", "永宁镇", _towns("永宁 温泉 棋坪 排埠 三都 大塅", "高桥 港口 带溪"), 7),
        County("360982", "樟树市", "樟", "zhangshu", "淦阳街道", _towns("临江 永泰 黄土岗 经楼 昌付 店下 阁山 刘公庙 观上", "中洲 洋湖"), 8),
        County("360983", "高安市", "高", "gaoan", "瑞州街道", _towns("蓝坊 荷岭 新街 八景 独城 太阳 建山 田南 相城 灰埠", "上湖 汪家圩"), 9),
    )
}  # fmt: skip
"""Code -> county, the pilot first."""

PILOT: Final = FENGCHENG.code
