"""Who bought what: the systems of the ten counties, each a line of choices (mock_agencies/README.md has them as a table)."""

from collections.abc import Mapping
from typing import Final

from mock_agencies.dialects import After, Numbered, Started, Tokens, Whole
from mock_agencies.real_estate import Register
from mock_agencies.vendors import Interface, System
from mock_agencies.wording import Wording, camel, lower

_HEADS_AND_SPOUSES: Final = {"02": "01", "10": "02", "11": "02", "12": "02"}
"""The dictionary of china-facts §2.8: 01 head, 02 spouse, where the standard says 02 and 10 to 12."""
SWAPPED: Final = Wording(words={"YHZGX": _HEADS_AND_SPOUSES}, means={"members.relation": {"11": "10", "12": "10"}})

_RELATIONS: Final = {
    "02": "户主", "10": "配偶", "11": "丈夫", "12": "妻子", "20": "子", "22": "长子", "23": "次子", "24": "三子", "28": "女婿",
    "29": "其他儿子", "30": "女", "32": "长女", "33": "次女", "34": "三女", "38": "儿媳", "39": "其他女儿", "41": "孙子",
    "42": "孙女", "49": "其他孙辈", "50": "父母", "51": "父亲", "52": "母亲", "79": "其他兄弟姐妹", "80": "其他", "97": "其他亲属",
    "99": "非亲属",
}  # fmt: skip
_SHORT_RELATIONS: Final = {"10": "1", "20": "2", "30": "3", "50": "5", "80": "8"}
"""A number column ate the zeros (§2.8)."""
_SEXES: Final[Mapping[str, Mapping[str, str]]] = {
    "01": {"1": "1", "男": "1", "2": "0", "女": "0"},
    "letters": {"1": "M", "男": "M", "2": "F", "女": "F"},
    "words": {"1": "男性", "男": "男性", "2": "女性", "女": "女性"},
}


def _members(sex: str = "", relation: Mapping[str, str] | None = None) -> Wording:
    words = ({"XB": _SEXES[sex]} if sex else {}) | ({"YHZGX": relation} if relation else {})
    return Wording(words=words)


MEMBERS: Final[Mapping[str, Wording]] = {
    "360921": _members("01"),
    "360922": _members("letters", _RELATIONS),
    "360924": _members("", _SHORT_RELATIONS),
    "360925": _members("words"),
    "360982": _members("letters"),
    "360983": _members("01", _SHORT_RELATIONS),
}
"""How the counties' police word what they put on the provincial exchange, where it is not the standard."""

REGISTERS: Final[Mapping[str, Register]] = {
    "360902": Register(keys={"token": "demo-yuanzhou-land"}),
    "360921": Register("wsse", {"username": "fengxin-land", "password": "demo-fengxin-land"}),
    "360922": Register("basic", {"username": "wanzai-land", "password": "demo-wanzai-land"}),
    "360923": Register(keys={"token": "demo-shanggao-land"}, attributes=True),
    "360926": Register(keys={"token": "demo-tonggu-land"}, encoding="gb18030"),
    "360982": Register("wsse", {"username": "zhangshu-land", "password": "demo-zhangshu-land"}),
}
"""Installations of the pilot's real-estate product."""

_ZHEJIANG_MARRIAGE: Final = {
    "op_type": "businessType", "op_date": "registrationDate", "cert_no": "certNo", "dept_code": "orgCode",
    "dept_name": "registrationOrg", "name_man": "mName", "cert_num_man": "mCardId", "birth_man": "mBirth",
    "nation_man": "mNation", "name_woman": "fName", "cert_num_woman": "fCardId", "birth_woman": "fBirth",
    "nation_woman": "fNation", "update_time": "tong_time",
}  # fmt: skip
_CHINESE_AID: Final = {
    "JZZH": "低保证号", "JZLX": "救助类型", "BZLB": "保障类别", "QSNY": "起始年月", "ZZNY": "终止年月", "SSNY": "所属年月",
    "BZRK": "保障人口", "QHDM": "区划代码", "XM": "姓名", "SFZH": "身份证号", "BZJE": "月保障金额", "YHZH": "银行账号",
    "ZPYY": "致贫原因", "GXSJ": "更新时间",
}  # fmt: skip
_OPS: Final = {
    "IA": "结婚登记", "IB": "离婚登记", "ICA": "补发结婚证", "ICB": "补发离婚证", "INR": "涉外结婚",
}  # fmt: skip


def _keys(county: str, system: str, *names: str) -> dict[str, str]:
    """What the vendor handed out: told apart by place and purpose, secret from nobody here."""
    return {name: f"demo-{county}-{system}-{name.replace('_', '-')}" for name in names}


SYSTEMS: Final[Mapping[tuple[str, str], System]] = {
    # 袁州区: what Fengcheng has, and a finance bureau with a door of its own
    ("360902", "finance"): System(
        "sha1",
        _keys("360902", "finance", "app_key", "app_secret"),
        {
            "payment": Interface(
                "/ykt/detail", Whole(), "day", cap=0, day="date", wording=Wording(lower("payment", "GXSJ"))
            )
        },
    ),
    # 奉新县: everything by one integrator
    ("360921", "civil"): System(
        "login",
        _keys("360921", "civil", "app_id", "app_secret"),
        {
            "marriage": Interface(
                "/hy/list",
                Started("STARTNUM", "PAGENUM", first=1),
                "fwxx",
                since="UPDATETIME",
                wording=Wording(_ZHEJIANG_MARRIAGE, {"op_type": _OPS}),
            ),
            "assistance": Interface(
                "/shjz/list",
                Started("STARTNUM", "PAGENUM", first=1),
                "fwxx",
                month="SSNY",
                wording=Wording(_CHINESE_AID),
            ),
        },
        allowed=("127.0.0.1",),
    ),
    ("360921", "agriculture"): System(
        "xclient",
        _keys("360921", "agriculture", "client_id", "token_secret"),
        {
            "subsidy": Interface(
                "/gateway/api/1/nybt",
                Numbered("PAGE", "PAGENUM"),
                "list",
                cap=100,
                since="GXSJ",
                encoding="gb18030",
                wording=Wording(units=dict.fromkeys(("CBDMJ", "LZCMJ", "DGDZMJ", "BYBTMJ", "BTMJ"), "m²")),
            ),
            "agri_entity": Interface(
                "/gateway/api/1/xxnyjyzt",
                Started("STARTNUM", "PAGENUM"),
                "list",
                cap=100,
                encoding="gb18030",
                wording=Wording(units={"JYTDMJ": "m²", "LZMJ": "m²"}),
            ),
        },
    ),
    # 万载县
    ("360922", "civil"): System(
        "fixed",
        _keys("360922", "civil", "api_key"),
        {
            "marriage": Interface(
                "/v2/marriages",
                Tokens("pageToken", "pageSize"),
                "next",
                since="since",
                wording=Wording(camel("marriage", update_time="updateTime")),
            )
        },
    ),
    ("360922", "agriculture"): System(
        "digest",
        _keys("360922", "agriculture", "username", "password"),
        {
            "contracted_land": Interface(
                "/ht/page",
                Numbered("page", "size", first=0),
                "content",
                cap=100,
                since="gxsj",
                wording=Wording(lower("contracted_land", "GXSJ"), {"YHZGX": _RELATIONS}),
            ),
            "subsidy": Interface(
                "/bt/page",
                Numbered("page", "size", first=0),
                "content",
                since="gxsj",
                wording=Wording(lower("subsidy", "GXSJ")),
            ),
        },
    ),
    # 上高县
    ("360923", "civil"): System(
        "basic",
        _keys("360923", "civil", "username", "password"),
        {"marriage": Interface("/hyxx", Numbered("pageNo", "pageSize"), "pages", since="updateTime")},
    ),
    ("360923", "agriculture"): System(
        "zj",
        _keys("360923", "agriculture", "app_key", "app_secret"),
        {
            "subsidy": Interface(
                "/gateway/api/360923/nybt.htm", Numbered("pageNo", "pageSize"), "datas", cap=500, since="gxsj"
            ),
            "agri_entity": Interface("/gateway/api/360923/jyzt.htm", Numbered("pageNo", "pageSize"), "datas", cap=500),
        },
    ),
    # 宜丰县: one platform for land
    ("360924", "land"): System(
        "xclient",
        _keys("360924", "land", "client_id", "token_secret"),
        {
            "homestead": Interface(
                "/gateway/api/1/zjd",
                Started("STARTNUM", "PAGENUM"),
                "records",
                since="updateTime",
                wording=Wording(
                    camel("homestead", QLLX="rightType", GXSJ="updateTime"), units={"SYQMJ": "亩", "JZMJ": "亩"}
                ),
            ),
            "homestead_approval": Interface(
                "/gateway/api/1/zjdsp",
                Numbered("PAGE", "PAGENUM"),
                "records",
                since="updateTime",
                wording=Wording(camel("homestead_approval", SQRLXDH="phone", GXSJ="updateTime"), units={"PZMJ": "亩"}),
            ),
        },
    ),
    ("360924", "civil"): System(
        "sha1",
        _keys("360924", "civil", "app_key", "app_secret"),
        {
            "marriage": Interface(
                "/api/hydj", Started("offset", "limit"), "state", since="since", wording=Wording(lower("marriage"))
            ),
            "assistance": Interface("/api/shjz", Started("offset", "limit"), "state", month="month"),
        },
    ),
    ("360924", "agriculture"): System(
        "fixed",
        _keys("360924", "agriculture", "token"),
        {
            "contracted_land": Interface(
                "/cbd/contracts",
                Numbered("page", "rows"),
                "text",
                cap=100,
                since="since",
                wording=Wording(camel("contracted_land", GXSJ="updateTime"), {"YHZGX": _SHORT_RELATIONS}),
            )
        },
    ),
    # 靖安县: few systems
    ("360925", "land"): System(
        "tif",
        _keys("360925", "land", "paasid", "token"),
        {"homestead": Interface("/ebus/bdc/homestead", Numbered("current", "size"), "records", cap=100, since="gxsj")},
    ),
    ("360925", "civil"): System(
        "fixed",
        _keys("360925", "civil", "api_key"),
        {"marriage": Interface("/hydj.json", Whole(), "bare", cap=0, since="since", encoding="gb18030")},
    ),
    # 铜鼓县: the smallest
    ("360926", "agriculture"): System(
        "login",
        _keys("360926", "agriculture", "app_id", "app_secret"),
        {
            "subsidy": Interface(
                "/nybt/changes",
                After("lastId", "limit"),
                "list",
                wording=Wording(lower("subsidy", "GXSJ"), number="rowid"),
            )
        },
    ),
    # 樟树市
    ("360982", "finance"): System(
        "fixed",
        _keys("360982", "finance", "api_key"),
        {
            "payment": Interface(
                "/card/changes",
                After("lastId", "limit"),
                "list",
                cap=500,
                wording=Wording(camel("payment", GXSJ="updateTime"), number="id", latest=True),
            )
        },
    ),
    ("360982", "civil"): System(
        "fixed",
        _keys("360982", "civil", "token"),
        {
            "marriage": Interface("/hydj/query", Numbered("pageNum", "pageSize"), "text", since="gxsj"),
            "assistance": Interface("/shjz/query", Numbered("pageNum", "pageSize"), "text", month="ssny"),
        },
    ),
    ("360982", "agriculture"): System(
        "basic",
        _keys("360982", "agriculture", "username", "password"),
        {
            "contracted_land": Interface(
                "/cbht", Numbered("pageNo", "pageSize"), "datas", cap=100, since="gxsj", encoding="gb18030"
            ),
            "subsidy": Interface("/nybt", Numbered("pageNo", "pageSize"), "datas", since="gxsj", encoding="gb18030"),
            "agri_entity": Interface("/jyzt", Numbered("pageNo", "pageSize"), "datas", encoding="gb18030"),
        },
    ),
    ("360982", "approval"): System(
        "digest",
        _keys("360982", "approval", "username", "password"),
        {
            "homestead_approval": Interface(
                "/zjd/approvals",
                Numbered("page", "size", first=0),
                "content",
                since="since",
                wording=Wording(lower("homestead_approval", "GXSJ"), units={"PZMJ": "亩", "CZMJ": "亩", "JZMJ": "亩"}),
            )
        },
    ),
    # 高安市: the dictionary of heads and spouses
    ("360983", "land"): System(
        "fixed",
        _keys("360983", "land", "token"),
        {
            "homestead": Interface(
                "/bdc/zjd", Numbered("PAGENUM", "PAGESIZE"), "fwxx", since="GXSJ", encoding="gb18030"
            ),
            "homestead_approval": Interface("/bdc/zjdsp", Numbered("PAGENUM", "PAGESIZE"), "fwxx", since="GXSJ"),
        },
    ),
    ("360983", "civil"): System(
        "xclient",
        _keys("360983", "civil", "client_id", "token_secret"),
        {
            "marriage": Interface("/gateway/api/1/hydj", Tokens("cursor", "size"), "next", since="since"),
            "assistance": Interface("/gateway/api/1/shjz", Tokens("cursor", "size"), "next", month="month"),
        },
    ),
    ("360983", "agriculture"): System(
        "zj",
        _keys("360983", "agriculture", "app_key", "app_secret"),
        {
            "contracted_land": Interface(
                "/gateway/api/360983/cbht.htm",
                Numbered("pageNo", "pageSize"),
                "datas",
                cap=100,
                since="gxsj",
                wording=SWAPPED,
            ),
            "subsidy": Interface("/gateway/api/360983/nybt.htm", Numbered("pageNo", "pageSize"), "datas", since="gxsj"),
            "agri_entity": Interface("/gateway/api/360983/jyzt.htm", Numbered("pageNo", "pageSize"), "datas"),
        },
    ),
}
"""(county, system) -> what it is."""

PLATFORM: Final[Mapping[str, tuple[str, ...]]] = {
    "real_estate": tuple(REGISTERS),
    "civil": ("360902",),
    "agriculture": ("360902",),
    "natural_resources": ("360902",),
}
"""The pilot's vendors -> the counties that bought the same."""


def wordings(county: str) -> dict[str, Wording]:
    """How a county's systems word each dataset."""
    out = {"household_member": MEMBERS[county]} if county in MEMBERS else {}
    for (code, _), system in SYSTEMS.items():
        if code == county:
            out |= {dataset: interface.wording for dataset, interface in system.interfaces.items()}
    return out


def sources(county: str, urls: Mapping[str, str]) -> dict[str, str]:
    """Where each of a county's systems is to be found: `<system>` -> address, by the addresses of the servers."""
    found = {"exchange": urls["provincial"]}
    for (code, name), system in SYSTEMS.items():
        if code == county:
            found[name] = f"{urls['vendors']}/{county}/{name}"
            if system.door == "login":
                found[f"{name}_login"] = f"{found[name]}/auth"
    for server, counties in PLATFORM.items():
        if county in counties:
            place = "" if server == "agriculture" else f"/{county}"
            found[server] = f"{urls[server]}{place}" + ("/services/RealEstate?wsdl" if server == "real_estate" else "")
    return found
