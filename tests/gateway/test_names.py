"""Names of records: every alternative of a record key gives its own, and none can be mistaken for another's."""

from adapters.kit import Translated
from gateway.names import Namer, name_kinds, short
from gateway.vault import Keyring, Vault
from schemas import DATASETS, Canonical

VAULT = Vault(Keyring.new())


KINDS = {kind: number for number, kind in enumerate(sorted({k for d in DATASETS.values() for k in name_kinds(d)}), 3)}


def namer(dataset: str, feed: str = "f1") -> Namer:
    return Namer(VAULT, DATASETS[dataset], feed, KINDS)


def page(*records: Canonical) -> Translated:
    names = tuple(records[0])
    return Translated(names=names, columns=[[record[name] for record in records] for name in names])


def names_of(dataset: str, record: Canonical) -> dict[str, list[int]]:
    """Kind -> the index names of one record."""
    told = {number: kind for kind, number in KINDS.items()}
    return {told[found.kind]: list(found.names) for found in namer(dataset).names_of([record]) if found.names}


def test_a_lone_key_is_named_by_its_values() -> None:
    record: Canonical = {"household_no": "101000001", "id_no": "360999198001010016"}
    expected = VAULT.name("observation", "f1\x00101000001\x00360999198001010016")
    assert namer("household_member").handles(page(record)) == [expected]
    assert namer("household_member", "f2").handles(page(record)) != [expected]
    assert namer("household_member").handle_of({**record, "id_no": None}) is None


def test_alternatives_of_a_key_never_share_a_name() -> None:
    entities = namer("agri_entity")
    by_code, by_number = entities.handles(
        page({"credit_code": "D2143569X", "directory_no": "A1"}, {"credit_code": None, "directory_no": "D2143569X"})
    )
    assert by_code == VAULT.name("observation", "f1\0D2143569X")
    assert by_code != by_number
    assert entities.handle_of({"credit_code": None, "directory_no": "D2143569X"}) == by_number
    assert entities.handle_of({"credit_code": None, "directory_no": None}) is None


def test_everybody_of_a_contract_is_a_subject_of_it() -> None:
    contract: Canonical = {
        "contract_code": "360981102203010001J",
        "cert_no": None,
        "contractor_id_no": "360999198001010016",
        "members": [{"id_no": "360999198001010016"}, {"id_no": None}, {"id_no": "360999198203150025"}],
    }
    contractor, other = short([VAULT.name("subject", n) for n in ("360999198001010016", "360999198203150025")])
    assert names_of("contracted_land", contract) == {
        "subject/contractor": [contractor],
        "subject/member": [contractor, other],
        "index/contract": list(short([VAULT.name("index/contract", "360981102203010001J")])),
    }


def test_an_approval_and_a_right_on_one_parcel_meet_under_one_name() -> None:
    parcel = "360981102203JC00123"
    approval = names_of("homestead_approval", {"parcel_code": parcel})
    right = names_of("homestead", {"unit_no": None, "parcel_code": parcel, "cert_no": None})
    assert approval["index/parcel"] == right["index/parcel"] != []
