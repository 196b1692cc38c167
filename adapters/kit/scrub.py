"""Takes the people out of recorded answers, consistently: the same person stays the same person within one recording.

What a column holds is read from the adapter's own mapping and the field table. Columns nobody maps are blanked: a replay does
not need them, and what they hold nobody has looked at. What cannot be told by its column (an ID number in a message) is found by its form,
and in the end every original name, number and secret that was met is swept out of every text. Answers keep their shape,
dates, area counts and money, so that a scrubbed recording still runs through the adapter and its mapping.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from lxml import etree

from adapters.kit.base import Stream
from adapters.kit.errors import SourceError
from adapters.kit.rules import FieldRule
from adapters.kit.xmlrows import inner, parse
from schemas import DATASETS
from schemas.fields import Sensitivity
from schemas.identifiers import is_uscc, uscc_check_char

SECRET_NAME: Final = re.compile(r"token|secret|sign|passw|app_?key|app_?id|(^|_)rid$", re.IGNORECASE)
SCRUBBED: Final = "scrubbed"

_HAN: Final = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_NAME: Final = re.compile(rf"[{_HAN}](?:[ \u3000·•．・.‧]?[{_HAN}])*")
_ID: Final = re.compile(r"(?<![0-9０-９])[0-9０-９]{17}[0-9０-９XxＸｘХх](?![0-9０-９])")
_PHONE: Final = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_LONG: Final = re.compile(r"(?<![\d.])\d{16,22}(?!\d)")
_YEAR: Final = re.compile(r"(19|20)\d\d")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


_NUMBERS: Final = frozenset({
    *("cert_no", "unit_no", "parcel_code", "ident"),
    *("contract_code", "contractor_code", "issuer_code", "plot_code"),
})  # fmt: skip


def columns(streams: Iterable[tuple[str, Stream]]) -> dict[str, str]:
    """Source column -> how to scrub it: `name`, `id`, `digits`, `credit`, `text`, `rows` (rows of its own) or `keep`."""
    found: dict[str, str] = {}
    for dataset, stream in streams:
        fields = DATASETS[dataset].fields
        for path, rule in stream.mapping.items():
            spec = fields.get(re.sub(r"\.\d+\.", ".", path))
            if spec is not None:
                read = rule.sources if isinstance(rule, FieldRule) else (rule,)
                found |= dict.fromkeys(read, _treatment(spec.kind, spec.of.level))
            if isinstance(rule, FieldRule) and rule.each is not None:
                found[rule.each] = "rows"
        kept = [
            stream.source_time,
            getattr(stream, "time", None),
            *(rule.from_ for rule in (*stream.ignore.values(), stream.deleted) if rule),
        ]
        found |= {column: "keep" for column in kept if isinstance(column, str) and column not in found}
    return found


def _treatment(kind: str, level: Sensitivity) -> str:
    if kind in {"name", "id_no", "account_tail"}:
        return {"name": "name", "id_no": "id", "account_tail": "digits"}[kind]
    if level is not Sensitivity.C2:
        return "keep"
    return "digits" if kind in _NUMBERS else {"text": "text", "credit_code": "credit"}.get(kind, "keep")


class Scrubber:
    """Replaces; remembers what it replaced, so that the last step can sweep it out of every text."""

    def __init__(self, treatments: Mapping[str, str], known_secrets: Iterable[str] = ()) -> None:
        self._treatments = treatments
        self._key = secrets.token_bytes(16)
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        telling = (text for text in known_secrets if len(text) > 3 or (len(text) > 1 and not text.isascii()))
        self._secrets = sorted(telling, key=len, reverse=True)

    def body(self, text: str) -> str:
        """A JSON, XML or plain body without its people. Call `sweep` on it when all bodies were seen."""
        stripped = text.strip("\ufeff \t\r\n")
        if stripped[:1] in {"{", "[", '"'}:
            try:
                return msgspec.json.encode(self._json(msgspec.json.decode(stripped), "")).decode()
            except msgspec.DecodeError:
                return self._patterns(text)
        if stripped[:1] == "<":
            try:
                root = parse(inner(stripped))
            except SourceError:
                return self._patterns(text)
            self._xml(root)
            return etree.tostring(root, encoding="unicode")
        return self._patterns(text)

    def sweep(self, text: str) -> str:
        """Everything that was replaced anywhere, gone from here too."""
        for secret in self._secrets:
            text = text.replace(secret, SCRUBBED)
        for known in (self._ids, self._names):
            stand_ins = set(known.values())
            for original in sorted(known, key=len, reverse=True):
                if len(original) > 1 and original not in stand_ins:
                    text = text.replace(original, known[original])
        return text

    def person(self, id_no: str, name: str) -> tuple[str, str]:
        """The stand-in of somebody, as every body shows it."""
        return self._id_cell(id_no), self._name(name)

    def _json(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            if len(self._treatments.keys() & value.keys()) > 1:
                return {key: self._json_cell(key, cell) for key, cell in value.items()}
            return {key: self._json(inside, key) for key, inside in value.items()}
        if isinstance(value, list):
            return [self._json(inside, name) for inside in value]
        return self._loose(name, value) if isinstance(value, str) else value

    def _json_cell(self, column: str, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value and self._cell(column, value)
        if isinstance(value, (dict, list)):
            return self._json(value, column) if self._treatments.get(column) == "rows" else None
        treatment = self._treatments.get(column)
        if treatment == "keep" or isinstance(value, (bool, float)):
            return value if treatment else None
        scrubbed = self._cell(column, str(value))
        return int(scrubbed) if scrubbed.isdigit() else scrubbed

    def _xml(self, root: Any) -> None:
        for element in root.iter("*"):
            for name, value in element.attrib.items():
                known = len(self._treatments.keys() & set(map(_local, element.attrib))) > 1
                element.set(name, self._cell(_local(name), value) if known else self._loose(_local(name), value))
            if not element.text or len(element):
                continue
            parent = element.getparent()
            beside = set() if parent is None else {_local(child.tag) for child in parent}
            known = len(self._treatments.keys() & beside) > 1
            name = _local(element.tag)
            element.text = self._cell(name, element.text) if known else self._loose(name, element.text)

    def _cell(self, column: str, value: str) -> str:
        """A value of a row."""
        return {
            None: lambda _: "",
            "name": self._name,
            "id": self._id_cell,
            "digits": self._digits,
            "credit": self._credit,
            "text": self._text,
            "rows": self.body,
            "keep": self._patterns,
        }[self._treatments.get(column)](value)

    def _loose(self, name: str, value: str) -> str:
        """A value outside rows: a message, a total, or a document of its own."""
        if SECRET_NAME.search(name):
            return SCRUBBED
        return self.body(value) if value.lstrip()[:1] in {"{", "[", "<"} else self._patterns(value)

    def _name(self, value: str) -> str:
        """Each name of a list of names; what follows a name (户主) stays."""
        return ",".join(_NAME.sub(self._person, piece, count=1) for piece in re.split("[,，]", value))

    def _person(self, found: re.Match[str]) -> str:
        original = found[0]
        if original not in self._names:
            n = len(self._names)
            given = "".join("一二三四五六七八九十"[int(digit)] for digit in f"{n // 10:02d}")
            self._names[original] = "赵钱孙李周吴郑王冯陈"[n % 10] + given
        return self._names[original]

    def _text(self, value: str) -> str:
        if not value.strip():
            return value
        return self._texts.setdefault(value, f"某地{len(self._texts) + 1}号")

    def _digits(self, value: str) -> str:
        """Runs of digits replaced by a keyed function of themselves; a leading division code of the province and years stay."""

        def run(found: re.Match[str]) -> str:
            digits = found[0]
            if len(digits) < 3 or _YEAR.fullmatch(digits):
                return digits
            kept = digits[:6] if len(digits) > 8 and digits.startswith("36") else ""
            rest = digits[len(kept) :]
            number = int.from_bytes(hmac.digest(self._key, rest.encode(), "sha256")[:12], "big")
            return kept + f"{number % 10 ** len(rest):0{len(rest)}d}"

        return re.sub(r"[0-9]+", run, unicodedata.normalize("NFKC", value))

    def _credit(self, value: str) -> str:
        """A credit code of area 360999 with a right check character; whatever else stands there loses its digits."""
        code = unicodedata.normalize("NFKC", value).strip().upper()
        if not is_uscc(code):
            return self._id_cell(value)
        number = int.from_bytes(hmac.digest(self._key, code.encode(), "sha256")[:8], "big")
        first17 = f"{code[:2]}360999MA{number % 10**7:07d}"
        return first17 + uscc_check_char(first17)

    def _id_cell(self, value: str) -> str:
        return ",".join(self._id_written(piece) for piece in re.split("[,，]", value))

    def _id_written(self, value: str) -> str:
        """An ID number however it is written: only its digits change, its width, spaces and quotes stay."""
        places = [i for i, char in enumerate(value) if unicodedata.normalize("NFKC", char) in "0123456789XxХх"]
        plain = "".join(unicodedata.normalize("NFKC", value[i]) for i in places).upper().replace("Х", "X")
        stand_in = self._id(plain)
        if stand_in is None:
            return self._digits(value)
        chars = list(value)
        for place, char in zip(places, stand_in, strict=True):
            wide = ord(chars[place]) > 0xFF00
            chars[place] = chr(ord(char) + 0xFEE0) if wide else char
        return "".join(chars)

    def _id(self, plain: str) -> str | None:
        """Area 360999, the same birth date and sex, a check digit that is right exactly if the original's is."""
        birth = plain[6:14] if len(plain) == 18 else f"19{plain[6:12]}"
        if len(plain) not in {15, 18} or not plain[:15].isdigit() or not _is_date(birth):
            return None
        if plain not in self._ids:
            odd = int(plain[16] if len(plain) == 18 else plain[14]) % 2
            seed = hashlib.sha256(self._key + plain.encode()).digest()
            body = f"360999{birth}{int.from_bytes(seed[:2], 'big') % 450 * 2 + odd:03d}"
            while body in {known[:17] for known in self._ids.values()}:
                body = f"{body[:14]}{(int(body[14:]) + 2) % 900:03d}"
            self._ids[plain] = (
                body + _check(body, right=plain[17] == _check(plain[:17]))
                if len(plain) == 18
                else (f"360999{body[8:17]}")
            )
        return self._ids[plain]

    def _patterns(self, value: str) -> str:
        value = _ID.sub(lambda found: self._id_written(found[0]), value)
        value = _PHONE.sub("13000000000", value)
        return _LONG.sub(lambda found: found[0] if found[0].startswith("360999") else self._digits(found[0]), value)


def _local(tag: str) -> str:
    return etree.QName(tag).localname


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 # a calendar check
    except ValueError:
        return False
    return True


def _check(body: str, *, right: bool = True) -> str:
    """GB 11643 check character of 17 digits, or deliberately the next one."""
    rest = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11
    return "10X98765432"[rest if right else (rest + 1) % 11]
