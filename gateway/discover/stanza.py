"""The proposal as lines for a county's file: what is unsure says so beside it, what nobody could know is marked 待填."""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import urlsplit

from gateway.discover.columns import Found, plain, words
from gateway.discover.proposal import Line, Proposal
from schemas import DATASETS
from schemas.divisions import name_of

FILL: Final = "待填"
"""Stands where a person has to write something; no check of the configuration lets it pass."""
_URL: Final = re.compile(r"https?://[^\s\"'<>，。；）)]+", re.ASCII)
_BARE: Final = re.compile(r"[A-Za-z_\u4e00-\u9fff][\w\u4e00-\u9fff]*")
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def quoted(text: str) -> str:
    """A YAML scalar that is read as this text."""
    return text if _BARE.fullmatch(text) and text.casefold() not in _WORDS else json.dumps(text, ensure_ascii=False)


def write(proposal: Proposal, source: str = "", account: str = "", county: str = "") -> str:
    """YAML for `counties/<code>-<name>.yaml`; with the code of a county that there is, the whole file."""
    found, dataset = proposal.found, proposal.dataset
    name = source or dataset
    title = DATASETS[dataset].title
    out = [f"# 由 shuqiao discover 提出：{title}。写着“待填”的地方请填，写着“待核”的行请核对。"]
    out += [f"# 待核：{remark}" for remark in proposal.remarks]
    if county:
        called = name_of(county)
        out.append(f'county: {{code: "{county}", name: {called}, bureau: {called}数据局}}')
    out += ["sources:", f"  {quoted(name)}:"]
    out += [f"    {line}" for line in (_files(dataset) if found.kind == "files" else _service(found, dataset))]
    out.append("        mapping:")
    out += [f"          {_mapped(line)}" for line in proposal.lines]
    fields = DATASETS[dataset].fields
    out += [f"          # {path}: {FILL}    # 必填，没有一列像它：{fields[path].of.title}" for path in proposal.missing]
    if proposal.unused:
        out.append(f"        # 没有用到的列：{'、'.join(proposal.unused)}")
    poll = 'cron: "0 6 * * *"' if found.kind == "files" else "poll: 1h"
    out += ["feeds:", f"  {dataset}: {{source: {quoted(name)}, dataset: {dataset}, {poll}}}"]
    text = "\n".join(out) + "\n"
    return text.replace(f"account: {FILL} ", f"account: {quoted(account)} ") if account else text


def _mapped(line: Line) -> str:
    keys = {"from": line.column} if line.const is None else {"const": line.const}
    if line.unit:
        keys["unit"] = line.unit
    if line.each:
        keys["each"] = line.each
    said = ", ".join(f"{key}: {quoted(value)}" for key, value in keys.items())
    if line.codes:
        said += ", codes: {" + ", ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in line.codes.items()) + "}"
    rule = quoted(line.column) if list(keys) == ["from"] and not line.codes else f"{{{said}}}"
    remark = "" if line.sure else f"    # 待核：{'；'.join(line.why)}"
    return f"{line.path}: {rule}{remark}"


def _files(dataset: str) -> list[str]:
    return [
        "adapter: files",
        f"account: {FILL}    # accounts.yaml 里的账号",
        f"directory: {FILL}    # 文件放在哪里",
        "datasets:",
        f"  {dataset}:",
        '    pattern: "*.{ext}"    # 待核：约定的文件名',
    ]


def _service(found: Found, dataset: str) -> list[str]:
    address = next(iter(_URL.findall(found.text)), "")
    parts = urlsplit(address)
    base = f"{parts.scheme}://{parts.netloc}" if address else ""
    out = (
        [] if found.row is None else ["# 应答是 XML：系统是 SOAP 的，改写成 adapter: soap，见 docs/declared-sources.md"]
    )
    out += ["adapter: rest", f"account: {FILL}    # accounts.yaml 里的账号"]
    out.append(f"base_url: {json.dumps(base)}" if base else f"base_url: {FILL}    # 接口根地址")
    out += _auth(found)
    path = parts.path if address else ""
    out += ["datasets:", f"  {dataset}:"]
    out.append(f"    path: {json.dumps(path)}" if path else f"    path: {FILL}    # 接口路径")
    if re.search(r"\bPOST\b", found.text):
        out.append("    method: POST")
    if found.rows is not None:
        out.append(f"    envelope: {{{', '.join(_envelope(found))}}}")
    else:
        out.append("    # 待核：没有样例应答，行在哪里请写 envelope")
    return [*out, *_paging(found)]


def _auth(found: Found) -> list[str]:
    said = f"{found.text} {' '.join(c.name for c in found.params)}"
    if re.search(r"\bBearer\b", said, re.IGNORECASE):
        return ["auth: {profile: bearer}    # 待核：文件里写到 Bearer；账号的 secrets 要有 token"]
    if re.search(r"\bappkey\b|\bapi[_-]?key\b|\bsign\b|签名|token", said, re.IGNORECASE):
        return ["# 待核：文件里写到签名或令牌，请在 auth 里写明，见 docs/declared-sources.md"]
    return []


def _envelope(found: Found) -> list[str]:
    total = "null" if found.total is None else quoted_path(found.total)
    said = [f"rows: {quoted_path(found.rows or '')}", f"total: {total}"]
    if found.success is not None:
        place, value = found.success
        said.append(f"success: {{{quoted_path(place)}: [{json.dumps(value)}]}}")
    else:
        said.append("success: {}")
    return [*said, f"message: {quoted_path(found.message)}"] if found.message else said


def quoted_path(path: str) -> str:
    return path if re.fullmatch(r"[A-Za-z_][\w.]*", path) and path.casefold() not in _WORDS else json.dumps(path)


def _paging(found: Found) -> list[str]:
    page = next((c.name for c in found.params if plain(c.name) in words()["page"]), None)
    size = next((c.name for c in found.params if plain(c.name) in words()["size"]), None)
    if page and size:
        return [f"    paging: {{kind: page_number, page: {quoted(page)}, size: {quoted(size)}, limit: 100}}"]
    return ["    # 待核：没有看到页码与条数两个参数，按一次给完；不是的请写 paging"]
