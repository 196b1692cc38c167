"""Names of records: every alternative of a record key gives its own, and none can be mistaken for another's."""

from gateway.names import Namer
from gateway.vault import Keyring, Vault
from schemas import DATASETS, Canonical

VAULT = Vault(Keyring.new())


def namer(dataset: str, feed: str = "f1") -> Namer:
    return Namer(VAULT, DATASETS[dataset], feed)


def test_a_lone_key_is_named_by_its_values() -> None:
    record: Canonical = {"household_no": "101000001", "id_no": "360999198001010016"}
    expected = VAULT.name("observation", "f1\x00101000001\x00360999198001010016")
    assert namer("household_member").handles([record]) == [expected]
    assert namer("household_member", "f2").handles([record]) != [expected]
    assert namer("household_member").handle_of({**record, "id_no": None}) is None


def test_alternatives_of_a_key_never_share_a_name() -> None:
    entities = namer("agri_entity")
    by_code, by_number = entities.handles(
        [{"credit_code": "D2143569X", "directory_no": "A1"}, {"credit_code": None, "directory_no": "D2143569X"}]
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
    (subjects,), (indexes,) = (
        namer("contracted_land").subjects([contract]),
        namer("contracted_land").indexes([contract]),
    )
    assert [role for _, role in subjects] == ["contractor", "member", "member"]
    assert subjects[0][0] == subjects[1][0] == VAULT.name("subject", "360999198001010016")
    assert indexes == [(VAULT.name("index/contract", "360981102203010001J"), "contract")]


def test_an_approval_and_a_right_on_one_parcel_meet_under_one_name() -> None:
    parcel = "360981102203JC00123"
    (approval,) = namer("homestead_approval").indexes([{"parcel_code": parcel}])
    (right,) = namer("homestead", "f2").indexes([{"unit_no": None, "parcel_code": parcel, "cert_no": None}])
    assert approval == right
