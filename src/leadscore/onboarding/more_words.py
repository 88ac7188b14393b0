"""The words of `words`, in Danish, Norwegian, Swedish, Finnish, Polish, Czech, Hungarian and Turkish.

Each is a whole word, in small letters and without accents.
"""

CREATED = (
    "oprettet oprettelsesdato opprettet skapad skapades skapat registrerad luotu utworzono utworzenia utworzony "
    "dodano dodania vytvoreno vytvoreni zalozeno letrehozva letrehozas letrehozasa olusturma olusturulma "
    "olusturuldu kayit"
)
ENDED = (
    "afsluttet avsluttet lukket stangd stangt avslutad avslutat suljettu paattynyt zamkniety zamknieta zamkniete "
    "zamknieto zakonczony zakonczona zakonczone zakonczono uzavreny uzavrena uzavreno ukonceno lezart lezarva "
    "kapandi kapatildi kapali"
)
CLOSED = (
    f"{ENDED} lukkedato slutdato sluttdato stangningsdatum avslutsdatum zamkniecia zakonczenia uzavreni ukonceni "
    "lezaras lezarasa kapanis kapatilma"
)
EXPECTED = (
    "forventet forvantad forvantat beraknad beraknat planerad planerat odotettu arvioitu przewidywana przewidywany "
    "oczekiwana oczekiwany planowana planowany ocekavane ocekavany predpokladane predpokladany planovane varhato "
    "tervezett beklenen tahmini planlanan"
)
STAGE = "etap faze stav szakasz allapot durum asama vaihe tila"
OUTCOME = f"{STAGE} resultat utfall wynik vysledek eredmeny sonuc tulos"
AMOUNT = (
    "belob belop belopp vaerdi verdi omsaetning omsetning varde intakt summa arvo kwota wartosc przychod cena castka "
    "hodnota osszeg ertek tutar tutari deger"
)
OWNER = (
    "ejer eier saelger selger ansvarlig agare saljare ansvarig omistaja myyja vastuuhenkilo wlasciciel opiekun "
    "handlowiec sprzedawca vlastnik obchodnik tulajdonos felelos ertekesito sorumlu sahibi temsilci"
)
WON = (
    "vundet vunnet vunnen vunna voitettu wygrana wygrane wygrany wygrano vyhrano vyhrana vyhrany megnyert megnyerve "
    "kazanildi kazanilan kazandi"
)
LOST = (
    "tabt tapt mistet forlorad forlorat forlorade havitty menetetty przegrana przegrane przegrany "
    "przegrano utracona utracone utracony stracona prohrano prohrana prohrany ztraceno "
    "ztracena elveszett elvesztett elvesztve kaybedildi kaybedilen kayip"
)
DECLINED = "afvist avvist avbojd odrzucona odrzucone odmitnuto iptal"
KIND = "rodzaj druh tipus tur turu laji aktivitet aktivita"
WHEN = "dato tarih tarihi paivamaara idopont"
