"""百福·丰收贷: a bank that lends to farmers on verification reports. It keeps a store of its own, asks over the API with its key, and
believes nothing but the chain: each report is checked by the stand-alone checker before it counts, and again when it is reviewed.

    python -m mock_agencies.bank apply --home bank --api http://… --institution demo-bank --signer signer.pub --headers headers.jsonl
    python -m mock_agencies.bank review --home bank … LOAN

The key comes in SHUQIAO_BANK_KEY; of the applicant, two lines of standard input: ID number and name.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

VERIFIER: Final = Path(__file__).parents[1] / "tools" / "verify_report.py"
CLASSES: Final = "household,marriage,real_estate,contracted_land,income,entity"
MOST: Final = 300_000
"""元 that one loan of this product may be."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS loan (
    number TEXT PRIMARY KEY, report TEXT NOT NULL, consent TEXT NOT NULL, asked INTEGER NOT NULL, granted INTEGER NOT NULL,
    why TEXT NOT NULL, decided_on TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS review (loan TEXT NOT NULL, at TEXT NOT NULL, proven INTEGER NOT NULL, changed TEXT NOT NULL);
"""


class Refused(Exception):
    """The gateway did not answer as asked: its status and its sentence."""


@dataclass(frozen=True)
class Gateway:
    """The API, as this institution may use it."""

    address: str
    institution: str
    key: str

    def call(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
        """Raises Refused."""
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=60)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind, "Accept": "application/json"}
        with closing(connection):
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status >= 300:
            raise Refused(answer.status, json.loads(content).get("detail", ""))
        return content

    def consent(self, paper: bytes, **fields: str) -> str:
        """Records a signed paper; its handle."""
        border = "bank-form"
        parts = [f'--{border}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
        parts.append(
            f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="consent.txt"\r\n'
            "Content-Type: text/plain\r\n\r\n"
        )
        body = "".join(parts).encode() + paper + f"\r\n--{border}--\r\n".encode()
        path = f"/api/v1/institutions/{self.institution}/consents"
        given = json.loads(self.call("POST", path, body, f"multipart/form-data; boundary={border}"))
        return str(given["handle"])

    def report(self, **asked: str) -> dict[str, Any]:
        """One report."""
        body = json.dumps(asked).encode()
        envelope = json.loads(self.call("POST", f"/api/v1/institutions/{self.institution}/reports", body))
        document: dict[str, Any] = json.loads(envelope["report"])
        return document

    def pdf(self, number: str) -> bytes:
        return self.call("GET", f"/bank/{self.institution}/reports/{number}/pdf")

    def changes(self, number: str) -> list[dict[str, Any]]:
        """What is not any more what the report says."""
        path = f"/api/v1/institutions/{self.institution}/reports/{number}/changes"
        found: list[dict[str, Any]] = json.loads(self.call("GET", path))
        return found


class Bank:
    """One branch: its loans, and an archive of the reports that they rest on."""

    def __init__(self, home: Path, gateway: Gateway, *, signer: Path, headers: Path) -> None:
        self.home, self._gateway, self._signer, self._headers = home, gateway, signer, headers
        (home / "archive").mkdir(parents=True, exist_ok=True)
        with closing(self._store()) as db:
            db.executescript(_SCHEMA)

    def _store(self) -> sqlite3.Connection:
        return sqlite3.connect(self.home / "bank.db", isolation_level=None)

    def apply(self, id_no: str, name: str, asked: int, today: date) -> str:
        """An application: paper signed, report asked for, archived, checked, decided; the loan's number.

        Raises:
            Refused: the gateway gave no report.
        """
        paper = f"授权书：同意查询用于丰收贷审查；单列不动产、收入。{today}".encode()
        terms = {"purpose": "loan_application", "classes": CLASSES}
        valid = {"valid_to": (today + timedelta(days=90)).isoformat(), "express": "true"}
        consent = self._gateway.consent(paper, id_no=id_no, name=name, **terms, **valid)
        document = self._gateway.report(id_no=id_no, name=name, **terms)
        report = document["number"]
        file = self.archived(report)
        file.touch(mode=0o600)
        file.write_bytes(self._gateway.pdf(report))
        granted, why = decide(document, asked) if self.proven(report) else (0, "报告核验不通过")
        with closing(self._store()) as db:
            (before,) = db.execute("SELECT COUNT(*) FROM loan").fetchone()
            number = f"FS{today:%Y%m%d}-{before + 1:04d}"
            row = (number, report, consent, asked, granted, why, today.isoformat())
            db.execute("INSERT INTO loan VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return number

    def archived(self, report: str) -> Path:
        """Where a report is kept, as it was given out."""
        return self.home / "archive" / f"{report}.pdf"

    def proven(self, report: str) -> bool:
        """Whether the archived report still proves what it says: by the checker alone, an empty environment, the chain's headers."""
        command = [sys.executable, "-I", str(VERIFIER), str(self.archived(report))]
        command += ["--signer", str(self._signer), "--headers", str(self._headers)]
        return subprocess.run(command, env={}, capture_output=True, check=False).returncode == 0  # noqa: S603 # our own file

    def loan(self, number: str) -> dict[str, Any]:
        """One loan as the bank holds it."""
        with closing(self._store()) as db:
            db.row_factory = sqlite3.Row
            return dict(db.execute("SELECT * FROM loan WHERE number = ?", (number,)).fetchone())

    def review(self, number: str, today: date) -> dict[str, Any]:
        """A loan looked at again: whether its report is proven still, and what changed since, if the consent lets that be asked."""
        report = self.loan(number)["report"]
        try:
            changed = [f"{c['title']}：{c['kind']}" for c in self._gateway.changes(report)]
        except Refused as refused:
            changed = [str(refused.args[1])]
        proven = self.proven(report)
        with closing(self._store()) as db:
            told = json.dumps(changed, ensure_ascii=False)
            db.execute("INSERT INTO review VALUES (?, ?, ?, ?)", (number, today.isoformat(), proven, told))
        return {"loan": number, "report": report, "proven": proven, "changed": changed}


def decide(document: dict[str, Any], asked: int) -> tuple[int, str]:
    """How much is lent, and why: nothing on what is not known, contradicts itself, or is seized."""
    sections = {s["id"]: s for s in document["sections"]}
    facts = {f["id"]: f for f in document["facts"]}
    if sections["subject"]["state"] != "data" or not sections["subject"]["derived"]["name_agrees"]:
        return 0, "身份未核实"
    if document.get("disputes"):
        return 0, "有未了结的异议"
    land = [facts[i] for i in sections["real_estate"]["facts"]]
    if any(f["path"] == "seized" and f["value"] == "1" for fact in land for f in fact["fields"]):
        return 0, "宅基地有查封"
    nets = [n for s in ("subsidy", "payment") for n in (sections[s]["derived"] or {"nets": []})["nets"]]
    yearly = sum(float(n["paid"]) for n in nets) / max(1, len({n["year"] for n in nets}))
    runs = any(t["held"] for t in (sections["traits"]["derived"] or {"traits": []})["traits"])
    granted = min(asked, MOST, round(20_000 + 10 * max(0, yearly)) + (100_000 if runs else 0))
    return granted, "按补贴与经营主体特征核定"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m mock_agencies.bank", description="百福·丰收贷：一家用核查报告放贷的银行"
    )
    parser.add_argument("verb", choices=("apply", "review"))
    parser.add_argument("loan", nargs="?", help="review 的贷款编号")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--api", required=True)
    parser.add_argument("--institution", required=True)
    parser.add_argument("--signer", type=Path, required=True)
    parser.add_argument("--headers", type=Path, required=True)
    parser.add_argument("--asked", type=int, default=100_000, help="申请金额，元")
    parser.add_argument("--today", type=date.fromisoformat, required=True, help="业务日期")
    options = parser.parse_args()
    gateway = Gateway(options.api, options.institution, os.environ["SHUQIAO_BANK_KEY"])
    bank = Bank(options.home, gateway, signer=options.signer, headers=options.headers)
    if options.verb == "apply":
        id_no, name = sys.stdin.read().splitlines()
        number = bank.apply(id_no, name, options.asked, options.today)
        loan = bank.loan(number)
        told = {k: loan[k] for k in ("number", "report", "asked", "granted", "why")}
        print(json.dumps(told | {"pdf": str(bank.archived(loan["report"]))}, ensure_ascii=False))
    else:
        print(json.dumps(bank.review(options.loan, options.today), ensure_ascii=False))


if __name__ == "__main__":
    main()
