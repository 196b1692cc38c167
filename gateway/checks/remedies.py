"""What to do where a layer does not hold: one sentence for each layer, and for each failure that has a cure of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LAYERS: Final[Mapping[str, str]] = {
    "config": "按“文件:行:列”改好，再运行 shuqiao config check",
    "dns": "核对地址里的主机名；政务外网的名字要用政务外网的 DNS，请找网络管理员",
    "tcp": "核对端口；端口对的，请部门看他们的服务是否开着",
    "tls": "核对地址里的主机名是否与证书上的一致；不一致的，请部门更换证书",
    "auth": "核对 accounts.yaml 里的账号和密钥；还是被拒绝的，请部门确认授权范围、有效期和 IP 白名单",
    "wsdl": "请部门确认 wsdl 的地址；取不到的，向部门要 WSDL 文件放进配置目录，wsdl 写它的路径",
    "openapi": "与接口文档不一致的，以部门确认的为准：改 path、method、映射，或向部门要一份新的文档",
    "table": "请部门核对前置库的表名、列名和本账号的查询权限",
    "drop": "核对 directory 和 pattern；名称不合约定的文件，请部门改名后重新投放",
    "push": "把约定的签名密钥放进 secrets，并请部门用同一个密钥",
    "read": "核对 path、method 和参数；都对的，把 shuqiao preview 的结果发给部门",
    "mapping": "用 shuqiao preview 看来源给了哪些列，再改 mapping 里的 from",
    "schema": "用 shuqiao preview 看是哪一列：写法不同的加 unit 或 codes，内容错的退回部门",
    "duty": "把 poll 改短，或与部门商定更早的调用时段、更晚的期限",
}
CODES: Final[Mapping[str, str]] = {
    "AUTH_EXPIRED": "先核对本机时间，再看密钥或令牌是否到期，到期的请部门换发",
    "ACCOUNT_STOPPED": "先处理好停用的原因，再在“来源账号”页面恢复这个账号",
    "THROTTLED": "等到可以调用时再试；常常不够的，请部门提高限额，并写进 accounts.yaml 的 budget",
    "BREAKER_OPEN": "前几次都没有成功，网关在等待；对方恢复后会自己再试",
    "NETWORK": "过几分钟再试；总是这样的，请部门的系统管理员看他们的日志",
    "TIMEOUT": "过几分钟再试；总是这样的，请部门的系统管理员看他们的日志",
    "SOURCE_5XX": "过几分钟再试；总是这样的，请部门的系统管理员看他们的日志",
    "LOGIN_PAGE": "对方给的是登录页：地址不是接口的，或接口还没有开通，请部门确认",
    "ENVELOPE_UNKNOWN": "向部门要一份真实应答，与接口文档一起交给 shuqiao discover，按它提出的 envelope 写",
    "DECODE": "向部门要一份真实应答，与接口文档一起交给 shuqiao discover，按它提出的写",
    "TOO_LARGE": "把 page_size 改小；还是太大的，把 max_mb 改大",
    "SILENT": "多半被防火墙拦下：请部门放行本机的出口地址",
    "PLAIN": "地址该写 http:// 的改成 http://；对方应当用 https 的，请部门核对端口",
    "SOON": "请部门更换证书；换之前采集可能中断",
    "STRANGER": "证书由部门自己签发的，请部门给 CA 证书，由系统管理员写进 SSL_CERT_FILE 所指的文件",
}


def remedy(layer: str, code: str = "") -> str:
    """What to do; the layer's own sentence where the code has none."""
    return CODES.get(code) or LAYERS[layer]
