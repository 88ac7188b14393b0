# ruff: noqa: RUF001 - letters of many languages look alike
"""Exports in the languages of `more_words`, and answers of yes and no with accents."""

from __future__ import annotations

from pathlib import Path

import pytest

from onboarding.made_exports import leads_of, write_rows

COLUMNS = ("id", "created", "closed", "outcome", "amount", "owner")
EXPORTS = {
    "Polish": (
        "Identyfikator;Data utworzenia;Data zamknięcia;Etap;Kwota;Właściciel",
        ("Negocjacje", "Wygrana", "Przegrana"),
    ),
    "Czech": ("Číslo;Vytvořeno;Uzavřeno;Stav;Částka;Vlastník", ("Nabídka", "Vyhráno", "Prohráno")),
    "Swedish": ("Nr;Skapad;Stängd;Status;Belopp;Ägare", ("Offert", "Vunnen", "Förlorad")),
    "Danish": ("Nr;Oprettet;Lukkedato;Fase;Beløb;Ejer", ("Tilbud", "Vundet", "Tabt")),
    "Norwegian": ("Nr;Opprettet;Sluttdato;Fase;Beløp;Eier", ("Tilbud", "Vunnet", "Tapt")),
    "Finnish": ("Nro;Luotu;Suljettu;Vaihe;Summa;Omistaja", ("Tarjous", "Voitettu", "Hävitty")),
    "Hungarian": (
        "Kód;Létrehozva;Lezárás dátuma;Állapot;Összeg;Felelős",
        ("Ajánlat", "Megnyert", "Elveszett"),
    ),
    "Turkish": (
        "No;Oluşturma Tarihi;Kapanış Tarihi;Durum;Tutar;Sorumlu",
        ("Teklif", "Kazanıldı", "Kaybedildi"),
    ),
}


def write_export(path: Path, header: list[str], states: tuple[str, str, str]) -> Path:
    return write_rows(
        path,
        header,
        lambda number, created, closed: (
            f"A{number}", created.date(), closed, states[min(number % 4, 2)], 100 + number,
            f"Rep {number % 3}",
        ),
    )  # fmt: skip


@pytest.mark.parametrize("language", EXPORTS)
def test_start_when_the_export_speaks_another_language_then_every_part_is_found(
    tmp_path: Path, language: str
) -> None:
    header, states = EXPORTS[language]

    leads = leads_of(write_export(tmp_path / "export.csv", header.split(";"), states))

    parts = [getattr(leads, column) for column in COLUMNS]
    assert [part.name if part else None for part in parts] == header.split(";")
    assert (leads.won, leads.lost) == ([states[1]], [states[2]])


@pytest.mark.parametrize(
    ("flags", "yes", "no"),
    [
        ("Está cerrada;Está ganada", "Sí", "No"),
        ("Fechado;Ganho", "Sim", "Não"),
        ("Zamknięta;Wygrana", "Tak", "Nie"),
        ("Kapalı;Kazanıldı", "Evet", "Hayır"),
    ],
)
def test_start_when_flags_say_yes_and_no_with_accents_then_open_leads_are_not_lost(
    tmp_path: Path, flags: str, yes: str, no: str
) -> None:
    answers = ((no, no), (yes, yes), (yes, no), (yes, no))
    path = write_rows(
        tmp_path / "deals.csv",
        ["ID", *flags.split(";"), "Created", "Closed"],
        lambda number, created, closed: (
            f"A{number}",
            *answers[number % 4],
            created.date(),
            closed,
        ),
    )

    leads = leads_of(path)

    assert (leads.won, leads.lost) == ([yes], [no])
    assert leads.is_won().sum() == 10
    assert leads.is_lost().sum() == 20
