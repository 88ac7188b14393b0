"""What a field's name says: whether it may have been written after the outcome, its unit, its words.

A name decides nothing. It is a reason to ask, in the languages that CRMs speak most: English,
German, French, Spanish, Portuguese, Italian, Dutch.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# What a name may say, and the words for it; one that ends in "*" may begin or end a longer word ("Abschlussdatum").
# fmt: off
LATE_WORDS: dict[str, str] = {
    "last": "last latest letzte letzter letztes letzten zuletzt dernier derniere dernieres derniers ultimo ultima "
            "ultimos ultimas laatste laatst lastmodified* lastactivity* lastcontact*",
    "elapsed": "elapsed verstrichen vergangen ecoule ecoules ecoulee transcurrido transcurridos decorrido decorridos "
               "trascorso trascorsi verstreken",
    "total days": "gesamttage gesamtdauer* totaldays",
    "stage": "stage* phase* stufe* etape* etapa* fase* stadium",
    "ratio": "ratio ratios quote verhaltnis* verhaeltnis* proportion proporcion razao proporcao rapporto verhouding*",
    "reason": "reason reasons grund absagegrund verlustgrund ablehnungsgrund raison motif motivo razon reden",
    "tag": "tag tags etikett etiquette etiqueta etiquetas etichetta etiket",
    "quality": "quality qualitat* qualitaet* qualite calidad qualidade qualita kwaliteit*",
    "score": "score* scores scoring rating punktzahl* bewertung* notation puntuacion pontuacao punteggio",
    "index": "index* indice indices",
    "profile": "profile profil* perfil profilo profiel*",
    "notable": "notable nennenswert bemerkenswert notavel notevole opmerkelijk",
    "outcome": "outcome* result results ergebnis* ausgang resultat* resultado resultados esito risultato uitkomst*",
    "duration": "duration* dauer* laufzeit* duree duracion duracao durata duur looptijd*",
    "close": "close closed closing closure closes closedate closeddate abschluss* geschlossen schliessung* "
             "cloture* fermeture cierre cerrado fechamento fechado encerramento chiusura chiuso sluiting* "
             "afgesloten gesloten",
}
UNITS: dict[str, str] = {
    "days": "day days tag tage tagen jour jours dia dias giorno giorni dag dagen",
    "hours": "hour hours stunde stunden heure heures hora horas ora ore uur uren",
    "minutes": "minute minutes minuten minuto minutos minuti minuut",
    "seconds": "second seconds sekunde sekunden seconde secondes segundo segundos secondo secondi seconden",
    "weeks": "week weeks woche wochen semaine semaines semana semanas settimana settimane weken",
    "months": "month months monat monate mois mes meses mese mesi maand maanden",
    "percent": "percent percentage ratio share prozent anteil pourcentage porcentaje percentagem percentuale quote",
    "count": "count number anzahl nombre numero cantidad quantidade aantal",
    "score": "score scores punktzahl puntuacion pontuacao punteggio index indice",
}
# fmt: on
TOTAL = {"total", "totals", "gesamt", "totaal", "totale", "totali", "totales", "totaux"}
LEAST_LETTERS = 4  # of a word that makes fields relatives: "of", "in", "id" do not
NO_STEMS = {
    "lead",
    "leads",
    "name",
    "type",
    "number",
    "field",
    "value",
    "data",
    "code",
    "from",
    "with",
    "that",
    "this",
}


BASIC = str.maketrans({"ł": "l", "ı": "i", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d"})  # noqa: RUF001


def words_of(name: str) -> list[str]:
    """The words of a name, without case and accents.

    >>> words_of("TotalDays_imQualität-Status 2")
    ['total', 'days', 'im', 'qualitat', 'status', '2']
    >>> words_of("Właściciel"), words_of("Beløb")
    (['wlasciciel'], ['belob'])
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    decomposed = unicodedata.normalize("NFKD", parted).casefold().translate(BASIC)
    letters = [sign for sign in decomposed if not unicodedata.combining(sign)]
    return re.findall(r"[a-z]+|\d+", "".join(letters))


def late_words(names: Iterable[str]) -> tuple[str, ...]:
    """What the names of a field say that fields written after the outcome are often called.

    >>> late_words(["letzte_aktivitaet"]), late_words(["Total Days Identified"]), late_words(["Abschlussdatum"])
    (('last',), ('total days',), ('close',))
    >>> late_words(["industry", "operating_system", "budget", "contact_person", "lastname"])
    ()
    """
    spoken = set()
    for name in names:
        words = words_of(name)
        spoken |= {topic for topic, listed in LATE_WORDS.items() if _are_spoken(listed, words)}
        if TOTAL & set(words) and "days" in units_of([name]):
            spoken.add("total days")
    return tuple(topic for topic in LATE_WORDS if topic in spoken)


def _are_spoken(listed: str, words: list[str]) -> bool:
    for entry in listed.split():
        stem = entry.rstrip("*")
        may_be_part = entry.endswith("*")
        for word in words:
            is_part = word.startswith(stem) or word.endswith(stem)
            if word == stem or (may_be_part and is_part):
                return True
    return False


def units_of(names: Iterable[str]) -> set[str]:
    """The units that the names of a field speak of.

    >>> sorted(units_of(["Tage in Phase"])), units_of(["industry"])
    (['days'], set())
    """
    words = _all_words_of(names)
    units = {unit: set(listed.split()) for unit, listed in UNITS.items()}
    return {unit for unit, spellings in units.items() if words & spellings}


def stems_of(names: Iterable[str]) -> set[str]:
    """The words by which a field may be a relative of others.

    >>> sorted(stems_of(["Asymmetrique Activity Index"]))
    ['activity', 'asymmetrique', 'index']
    """
    words = _all_words_of(names) - NO_STEMS
    return {word for word in words if len(word) >= LEAST_LETTERS and word.isalpha()}


def _all_words_of(names: Iterable[str]) -> set[str]:
    words: set[str] = set()
    for name in names:
        words.update(words_of(name))
    return words
