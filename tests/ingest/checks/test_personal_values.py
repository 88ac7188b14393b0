import pytest

from builders import make_settings
from leadscore import project as jobs

PERSONAL = {
    "an e-mail address": ["ann@example.com", "Ann Lee <ann.lee@mail.example.co.uk>", "mailto:a+b@c.de"],
    "a phone number": ["+49 30 1234567", "0049301234567", "(030) 123 4567", "030/1234567", "555-123-4567",
                       "555.123.4567"],
    "a street address": ["12 High Street", "221b Baker St", "5 Park Avenue North", "Hauptstraße 5", "Lindenallee 12a",
                         "Hauptstr. 5", "12 rue de la Paix", "Calle Mayor 3", "Kerkstraat 12"],
}  # fmt: skip
PLAIN = ["2024-05-31", "31.05.2024", "12345678", "1.234.567", "-12.50", "C-100-200", "A@B", "@handle", "web",
         "SaaS 2000",
         "10-50 staff", "1,000 to 5,000", "DE-10115", "Wall Street Journal", "St. Gallen", "via partner",
         "04109 Leipzig",
         "192.168.10.12", "Road show", "v1.2.3"]  # fmt: skip


def warnings_of(folder, values):
    """What an ingest warns of whose field `note` has these values."""
    rows = "".join(f'{n},2024-01-01,"{value}"\n' for n, value in enumerate(values))
    (folder / "leads.csv").write_text("id,created,note\n" + rows, encoding="utf-8")
    columns = {"lead_id": "id", "event_at": "created", "note": "note"}
    settings = make_settings(
        input_folder=folder, data_folder=folder / "data", known_until="2024-02-01", fields={"note": {}},
        mapping=[{"source": "leads", "table": "leads", "columns": columns}],
    )  # fmt: skip
    return [warning for warning in jobs.ingest(settings).warnings if "'note'" in warning]


@pytest.mark.parametrize("looks", PERSONAL)
def test_field_when_its_values_look_personal_then_a_warning_counts_them_and_shows_none(
    tmp_path, looks
):
    for values in ([PERSONAL[looks][0]], PERSONAL[looks]):
        folder = tmp_path / str(len(values))
        folder.mkdir()
        [warning] = warnings_of(folder, [*PLAIN, *values])
        assert f"{len(values)} value" in warning
        assert looks in warning
        assert not any(value in warning for value in values)


def test_field_when_its_values_are_no_persons_then_nothing_is_said(tmp_path):
    assert warnings_of(tmp_path, PLAIN) == []
