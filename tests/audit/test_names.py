"""What names say, in the languages of those who export."""

import pytest

from leadscore.audit.names import late_words, stems_of, units_of

LATE = [
    ("Last Notable Activity", {"last", "notable"}),
    ("hs_lastmodifieddate", {"last"}),
    ("closedate", {"close"}),
    ("poutcome", {"outcome"}),
    ("Total Days Identified Through Closing", {"total days", "close"}),
    ("Asymmetrique Profile Index", {"index", "profile"}),
    ("letzteAktivität", {"last"}),
    ("Abschlussdatum", {"close"}),
    ("Gesamtdauer", {"total days", "duration"}),
    ("Verkaufsphase", {"stage"}),
    ("Absagegrund", {"reason"}),
    ("Qualität des Leads", {"quality"}),
    ("dernière activité", {"last"}),
    ("Durée en étape", {"duration", "stage"}),
    ("motif de perte", {"reason"}),
    ("última_actividad", {"last"}),
    ("Puntuación", {"score"}),
    ("días_totales", {"total days"}),
    ("motivo_perda", {"reason"}),
    ("duração da etapa", {"duration", "stage"}),
    ("Ultimo contatto", {"last"}),
    ("giorni totali", {"total days"}),
    ("esito", {"outcome"}),
    ("laatste_contact", {"last"}),
    ("Kwaliteit", {"quality"}),
    ("totaal dagen", {"total days"}),
    ("afgesloten", {"close"}),
]
INNOCENT = [
    "industry", "Lead Source", "employees", "lastname", "budget", "operating_system", "country",
    "Branche", "Unternehmensgröße", "secteur", "ciudad", "setor", "regione", "bedrijf", "phone", "stadt",
    "days_since_visit", "grundstueck", "total_employees", "job title",
]  # fmt: skip


@pytest.mark.parametrize(("name", "words"), LATE)
def test_name_when_it_speaks_of_what_follows_the_outcome_then_says_so(name, words):
    assert set(late_words([name])) == words


@pytest.mark.parametrize("name", INNOCENT)
def test_name_when_it_says_what_a_lead_is_then_speaks_of_nothing_late(name):
    assert late_words([name]) == ()


def test_names_of_one_field_when_label_and_column_say_more_then_count_too():
    assert set(late_words(["x1", "Total Days In Stage"])) == {"total days", "stage"}
    assert units_of(["x1", "Tage in Phase"]) == {"days"}
    assert stems_of(["Asymmetrique Activity Index", "of_it"]) == {
        "asymmetrique",
        "activity",
        "index",
    }
