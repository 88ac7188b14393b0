"""Columns that are plainly an account or a contact, by their names in seven languages."""

import pytest

from leadscore.onboarding import words

CALLED = {
    "account": ["AccountId", "account_id", "Company ID", "companyid", "Kundennummer", "Kunden-ID",
                "Associated Company", "org_id", "cliente_id", "klant_id"],
    "contact": ["ContactId", "contact id", "person_id", "Associated Contact", "Kontakt-ID"],
}  # fmt: skip
NAMED = {
    "company": ["Company", "Account Name", "Firma", "Entreprise", "Empresa", "Azienda", "Bedrijf"],
    "contact": ["Contact Name", "Ansprechpartner", "Contacto", "Contatto", "Contato"],
}
OTHERS = ["Id", "Account Type", "Industry", "Contacted", "Company Size", "Persona", "Created"]


@pytest.mark.parametrize(("part", "name"), [(p, n) for p, names in CALLED.items() for n in names])
def test_column_when_called_like_a_key_then_is_one(part, name):
    assert words.is_called(name, words.KEYS[part])


@pytest.mark.parametrize(("part", "name"), [(p, n) for p, names in NAMED.items() for n in names])
def test_column_when_called_like_a_company_or_person_then_is_one(part, name):
    assert words.is_called(name, words.PERSONAL[part])


@pytest.mark.parametrize("name", OTHERS)
def test_column_when_called_otherwise_then_is_no_key(name):
    for part in ("account", "contact"):
        assert not words.is_called(name, words.KEYS[part])
