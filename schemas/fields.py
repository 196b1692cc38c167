"""The field table: what a canonical field is, and what a dataset is made of.

Every dataset module declares a pydantic record whose fields carry an `Of(...)`. Mappings, JSON Schemas, disclosure
groups, masking and `docs/schema.md` are all read from here; nothing repeats it.

A canonical record is its own commitment form: text, null, or a list of such objects. Dates are `YYYY-MM-DD` or
`YYYY-MM` (their precision shows), areas and money carry exactly two decimals, codes are the canonical ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ConfigDict, StringConstraints

Scalar: TypeAlias = str | None
Value: TypeAlias = Scalar | list[dict[str, Scalar]]
Canonical: TypeAlias = dict[str, Value]


class Sensitivity(StrEnum):
    """JR/T 0171-2020. We hold C2 at most; C3 (passwords, biometrics) is never accepted."""

    C1 = "C1"
    C2 = "C2"


C1, C2 = Sensitivity.C1, Sensitivity.C2


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value of this kind is cleaned: the name of a function in `schemas.cleaning.CLEANERS`."""

    cleaner: str


@dataclass(frozen=True, slots=True)
class Of:
    """One line of the field table."""

    title: str
    """Chinese title, as the agencies print it."""
    group: str
    """Disclosure group: what can be shown and proven without the rest (DESIGN §5.7)."""
    level: Sensitivity = Sensitivity.C1
    unit: str | None = None
    codes: str | None = None
    """Name of a list in `schemas/data/codes/`."""
    required: bool = False
    """A row whose value is absent goes to quarantine as MISSING."""
    note: str = ""


Text = Annotated[str, StringConstraints(min_length=1, max_length=400), Kind("text")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100), Kind("name")]
IdNo = Annotated[str, StringConstraints(pattern=r"^\d{17}[\dX]$"), Kind("id_no")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,20}$"), Kind("code")]
Date = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}(-\d{2})?$"), Kind("date")]
DateAhead = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}(-\d{2})?$"), Kind("date_ahead")]
OpenDate = Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}(-\d{2})?|open)$"), Kind("open_date")]
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}$"), Kind("month")]
Year = Annotated[str, StringConstraints(pattern=r"^\d{4}$"), Kind("year")]
Area = Annotated[str, StringConstraints(pattern=r"^\d{1,9}\.\d{2}$"), Kind("area_m2")]
AreaOrZero = Annotated[str, StringConstraints(pattern=r"^\d{1,9}\.\d{2}$"), Kind("area_m2_or_zero")]
Mu = Annotated[str, StringConstraints(pattern=r"^\d{1,9}\.\d{2}$"), Kind("area_mu")]
MuOrZero = Annotated[str, StringConstraints(pattern=r"^\d{1,9}\.\d{2}$"), Kind("area_mu_or_zero")]
Quantity = Annotated[str, StringConstraints(pattern=r"^\d{1,9}\.\d{2}$"), Kind("quantity")]
Money = Annotated[str, StringConstraints(pattern=r"^-?\d{1,12}\.\d{2}$"), Kind("money")]
Count = Annotated[str, StringConstraints(pattern=r"^\d{1,6}$"), Kind("count")]
UnitNo = Annotated[str, StringConstraints(pattern=r"^\d{12}[GJZ][A-Z]\d{5}[FLQW]\d{8}$"), Kind("unit_no")]
ParcelCode = Annotated[str, StringConstraints(pattern=r"^\d{12}[GJZ][A-Z]\d{5}$"), Kind("parcel_code")]
IssuerCode = Annotated[str, StringConstraints(pattern=r"^\d{14}$"), Kind("issuer_code")]
ContractorCode = Annotated[str, StringConstraints(pattern=r"^\d{18}$"), Kind("contractor_code")]
ContractCode = Annotated[str, StringConstraints(pattern=r"^\d{18}[JQ]?$"), Kind("contract_code")]
PlotCode = Annotated[str, StringConstraints(pattern=r"^\d{19}$"), Kind("plot_code")]
CreditCode = Annotated[
    str, StringConstraints(pattern=r"^([0-9A-Z]{18}|[0-9A-Z]{15}|[0-9A-Z]{9})$"), Kind("credit_code")
]
DocumentNo = Annotated[str, StringConstraints(min_length=5, max_length=120), Kind("document_no")]
CertNo = Annotated[str, StringConstraints(min_length=4, max_length=80), Kind("cert_no")]
Division = Annotated[str, StringConstraints(pattern=r"^\d{6}(\d{3}(\d{3})?)?$"), Kind("division")]
AccountTail = Annotated[str, StringConstraints(pattern=r"^\*{4}\d{4}$"), Kind("account_tail")]
Ident = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_\-./]{1,64}$"), Kind("ident")]


class Record(BaseModel):
    """A canonical record: business fields only; everything else belongs to its version (DESIGN §2b)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Part(Record):
    """One element of a repeated part of a record: a holder, a party."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of a dataset, resolved: its path is `name` or `part.name`."""

    name: str
    part: str | None
    of: Of
    kind: str
    annotation: Any

    @property
    def path(self) -> str:
        return f"{self.part}.{self.name}" if self.part else self.name


Columns: TypeAlias = Callable[[str], Sequence[Value]]
"""The values of a batch of records, by field, in step."""


@dataclass(frozen=True, slots=True)
class Sanity:
    """What a code list agreed wrongly would break in most rows of a batch, though every single code is valid (§2.8)."""

    path: str
    """The field whose codes are in doubt."""
    judge: Callable[[Columns], tuple[int, int]]
    """Of a batch: how many rows can tell, and how many of those contradict the code list."""


@dataclass(frozen=True)
class Dataset:
    """One entry of the catalogue with one canonical schema and one grain (DESIGN §2a)."""

    name: str
    title: str
    version: int
    record: type[Record]
    record_key: tuple[tuple[str, ...], ...]
    """Alternatives, best first: fields that together name one row at its agency. A row with none is quarantined KEY_MISSING."""
    match_key: tuple[tuple[str, ...], ...]
    """Alternatives, best first: observations of one dataset that share one are the same thing."""
    subjects: Mapping[str, str]
    """role -> path of the ID number of a person this row is about."""
    indexes: Mapping[str, tuple[str, ...]]
    """kind -> fields; other joins (unit, parcel, certificate, household)."""
    kind: str
    """`state` (the latest row stands) or `event` (absence never makes a tombstone)."""
    period_by: str
    """The field whose date names the period an obligation is about, or `as_of`."""
    checks: Sequence[Callable[[Canonical], tuple[str, ...]]] = field(default=())
    """Cross-field checks: pure functions from a record to quality flags."""
    sanities: Sequence[Sanity] = field(default=())
    """Checks of a whole batch, by which a wrong dictionary shows."""

    @cached_property
    def fields(self) -> dict[str, FieldSpec]:
        """Every leaf field by path, in the table's order."""
        return {spec.path: spec for spec in _walk(self.record, None)}

    def key_fields(self, record: Canonical) -> tuple[str, ...] | None:
        """The first alternative of the record key of which nothing is absent."""
        return next((fields for fields in self.record_key if all(record.get(f) for f in fields)), None)

    @cached_property
    def parts(self) -> dict[str, str]:
        """Repeated parts: attribute -> disclosure group stem (`holders` -> `holder`)."""
        return {s.part: s.of.group for s in self.fields.values() if s.part}

    @cached_property
    def group_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s.of.group for s in self.fields.values()))

    def groups(self, record: Canonical) -> dict[str, dict[str, Scalar]]:
        """The record cut into disclosure groups; a repeated part becomes `stem/0`, `stem/1`, …"""
        out: dict[str, dict[str, Scalar]] = {}
        for spec in self.fields.values():
            if spec.part is None:
                out.setdefault(spec.of.group, {})[spec.name] = record[spec.name]  # type: ignore[assignment] # a leaf is a scalar
        for part, stem in self.parts.items():
            for i, element in enumerate(record[part] or ()):
                out[f"{stem}/{i}"] = dict(element)  # type: ignore[arg-type] # a part holds objects
        return out

    def leaves(self, record: Canonical) -> Iterator[tuple[tuple[str, int], Scalar]]:
        """Every leaf of a record: (path, number of its part) -> value; absent fields are None."""
        for path, spec in self.fields.items():
            value: Any = record.get(spec.part or spec.name)
            if spec.part is None:
                yield (path, 0), value
            else:
                yield from (((path, i), element.get(spec.name)) for i, element in enumerate(value or ()))

    def assemble(self, groups: Mapping[str, Mapping[str, Scalar]]) -> Canonical:
        """The inverse of `groups`, for whichever groups are at hand."""
        record: Canonical = {}
        stems = {stem: part for part, stem in self.parts.items()}
        for group, values in sorted(groups.items(), key=lambda item: (len(item[0]), item[0])):
            stem, _, index = group.partition("/")
            if index and stem in stems:
                elements = record.setdefault(stems[stem], [])
                assert isinstance(elements, list)
                elements.append(dict(values))
            else:
                record.update(values)
        return record


def _walk(model: type[BaseModel], part: str | None) -> list[FieldSpec]:
    out: list[FieldSpec] = []
    for name, info in model.model_fields.items():
        element = _element(info.annotation)
        if element is not None:
            out += _walk(element, name)
            continue
        of = next((m for m in info.metadata if isinstance(m, Of)), None)
        if of is None:
            raise TypeError(f"{model.__name__}.{name} has no Of(...): the field table must be complete")
        kind = _kind(info.metadata, info.annotation)
        if kind is None:
            raise TypeError(f"{model.__name__}.{name} names no cleaner")
        # pydantic moves the constraints of a field that cannot be null out of its annotation.
        constraints = tuple(m for m in info.metadata if m is not of)
        annotation: Any = Annotated[info.annotation, *constraints] if constraints else info.annotation
        out.append(FieldSpec(name, part, of, kind, annotation))
    return out


def _element(annotation: Any) -> type[Part] | None:
    if get_origin(annotation) is list:
        (element,) = get_args(annotation)
        if isinstance(element, type) and issubclass(element, Part):
            return element
    return None


def _kind(metadata: Sequence[Any], annotation: Any) -> str | None:
    optional = (meta for candidate in get_args(annotation) for meta in getattr(candidate, "__metadata__", ()))
    return next((meta.cleaner for meta in (*metadata, *optional) if isinstance(meta, Kind)), None)
