# ruff: noqa: RUF001 - letters of many languages look alike
"""In which encoding a text file is read, by language: short and long files, and what is doubted."""

from contextlib import suppress
from pathlib import Path

import pytest

from leadscore.errors import SourceFormatError
from leadscore.ingest.readers.sources import SourceFile, detect_dialect
from leadscore.settings.source import Source

TEXTS = {  # by encoding and language: words as they stand in the exports of a CRM
    "cp1252": {
        "German": "Größe Müller Verträge Angebot geändert Straße Königsberg Übergabe für Büro Jürgen Weiß",
        "French": "Société Hélène créé le Français reçu à Besançon Noël Réunion Gagnée forêt Après Très été",
        "Spanish": "Muñoz España Núñez Compañía Dirección Teléfono Peña Año Señor García Cerró López",
        "Danish": "Sørensen Jørgensen Århus København Næstved Kjær Afsluttet på Tilbud Østergaard Læsø",
        "Swedish": "Malmö Förlorad Åkesson Kök Västerås Möte på Åke Ängelholm Lindström Håkansson",
        "Norwegian": "Tromsø Bjørn Åsgård Færder Beløp Tapt på Grünerløkka Sørlandet Kråkerøy",
        "Portuguese": "São João ações Conceição Negócio irmãos Razão Guimarães não Câmara Simões fechado três",
        "Dutch": "Financiën België Zoë ruïne één Daniël coördinator Reünie geïnteresseerd Ingrediënten",
        "Italian": "città perché Niccolò più È così qualità Società attività Forlì Nicolò Università però",
        "Icelandic": "Þórður Guðrún Reykjavík Sæmundur Jón Sigurðsson Ísafjörður staðfest tapað",
        "Finnish": "Jyväskylä Hämäläinen Käyttäjä Päättynyt Mäkelä Lähtö Töölö Seinäjoki",
    },
    "cp1250": {
        "Polish": "Łódź Wałęsa Kraków Gdańsk spółka Wrocław Żabka Święta Będzin Poznań Zakończone Różycki",
        "Czech": "Dvořák Jiří Němec Černý Růžička Plzeň České Příbram Uzavřeno Kateřina Ondřej Břeclav",
        "Slovak": "Košice Žilina Ľubomír Kováč Nové Mesto uzavretá Trenčín Hrušovský späť Ďuriš Kvôli",
        "Hungarian": "Győr Vevő Értékesítő Szűcs Kovács Lőrinc Erdős Időpont elveszített Szőke Fűzfő",
        "Croatian": "Marković Đorđević Čakovec Šibenik Horvat Petrović Požega Anđela Kučan Zvonimir Brkić",
        "Slovene": "Kočevje Janežič Novačan Črnomelj Žalec Krajnc Šoštanj Izgubljeno Zaključeno Rogaška",
        "Romanian": "Iaşi Bacău Constanţa Braşov Călăraşi Mânăstirea Piteşti Ştefan Pierdută Câştigat",
    },
    "cp1251": {
        "Russian": "Сделка Закрыто Иванов Москва Отказ Проиграно Юрий Объём Новый клиент",
        "Russian capitals": "СДЕЛКА ЗАКРЫТО МОСКВА ОТКАЗ СУММА ПРОИГРАНО ЗВОНОК",
        "Ukrainian": "Перемога Україна Київ Закрито Їжак Євген Львів Втрачено",
        "Bulgarian": "София Пловдив Спечелена Загубена Георги Сделка Първи",
    },
    "cp1253": {
        "Greek": "Κερδισμένη Χαμένη Αθήνα Θεσσαλονίκη Παπαδόπουλος Σε εξέλιξη Πελάτης",
        "Greek capitals": "ΚΕΡΔΙΣΜΕΝΗ ΧΑΜΕΝΗ ΑΘΗΝΑ ΘΕΣΣΑΛΟΝΙΚΗ ΠΕΛΑΤΗΣ ΠΑΠΑΔΟΠΟΥΛΟΣ",
    },
    "cp1254": {
        "Turkish": "İstanbul Kazanıldı Kaybedildi Şişli Yıldız Doğan Müşteri Beşiktaş Aşağı Ağrı"
    },
    "cp1257": {
        "Lithuanian": "Šiauliai Klaipėda Panevėžys Kęstutis Jonavą Žukauskas Įmonė Uždaryta pardavimų",
        "Latvian": "Rīga Jūrmala Bērziņš Liepāja Daugavpils Kļaviņa Zaudēts Pārdošana Jānis",
    },
    "cp932": {"Japanese": "失注 受注 商談中 カタカナ 東京 株式会社"},
    "gb18030": {"Chinese": "赢单 输单 跟进中 上海 预计成交日期 客户名称"},
    "cp949": {"Korean": "수주 실주 협상중 서울 주식회사 견적"},
    "cp950": {"Taiwanese": "贏單 輸單 洽談中 預計成交日期 臺北 客戶"},
}
LANGUAGES = [
    (encoding, language, words.split())
    for encoding, texts in TEXTS.items()
    for language, words in texts.items()
]
IN_ONE_OF_THE_WEST = ("€5", "„Angebot“", "Offer – 20°", "10 m² à 5 €", "No. 5 ½", "¿Sí?")


def read_as(folder: Path, words: list[str], encoding: str) -> str:
    """A file of these words, one a row, as it is read; wrong only with a doubt."""
    (folder / "x.csv").write_bytes(
        "\n".join(["name,n", *(f"{w},1" for w in words)]).encode(encoding)
    )
    dialect = detect_dialect(SourceFile("deals", folder / "x.csv", "x.csv"), Source(path="x.csv"))
    assert dialect is not None
    text = (folder / "x.csv").read_bytes().decode(dialect.encoding)
    is_right = text.split("\n")[1:] == [f"{word},1" for word in words]
    assert is_right or dialect.doubt, f"{words} silently read as {text}"
    return "as written" if is_right else "doubted"


@pytest.mark.parametrize(("encoding", "language", "words"), LANGUAGES)
def test_encoding_when_a_file_has_several_words_then_it_is_read_as_written(
    tmp_path, encoding, language, words
):
    assert read_as(tmp_path, words, encoding) == "as written"
    assert read_as(tmp_path, words * 1_000, encoding) == "as written"
    if encoding.startswith("cp125"):
        assert read_as(tmp_path, [*words, "€5", "„Angebot“", "A – B"], encoding) == "as written"


@pytest.mark.parametrize(("encoding", "language", "words"), LANGUAGES)
def test_encoding_when_a_file_has_a_few_words_then_it_is_not_silently_misread(
    tmp_path, encoding, language, words
):
    for first in range(len(words)):
        for count in (1, 2, 3):
            few = words[first : first + count]
            with suppress(SourceFormatError):
                read_as(tmp_path, few, encoding)


@pytest.mark.parametrize(
    ("encoding", "row"),
    [
        ("gb18030", "赢单,2025年01月06日 17:07,7.2654万"),
        ("cp950", "贏單,2025年1月6日,7.2萬"),
        ("cp932", "受注,2025年 1月 6日,7万円"),
        ("cp949", "수주,2025년 1월 6일 17:07,265만원"),
        ("cp1250", "Data zamknięcia,28 340 zł"),
        ("cp1250", "Schůzka,28 340\xa0Kč"),
    ],
)
def test_encoding_when_most_letters_stand_behind_numbers_then_these_show_it(
    tmp_path, encoding, row
):
    assert read_as(tmp_path, [row], encoding) == "as written"
    dialect = detect_dialect(SourceFile("deals", tmp_path / "x.csv", "x.csv"), Source(path="x.csv"))
    assert dialect is not None
    assert (dialect.encoding, dialect.doubt) == (encoding, None)


@pytest.mark.parametrize("words", [[text] for text in IN_ONE_OF_THE_WEST])
def test_encoding_when_only_symbols_show_it_then_it_is_western(tmp_path, words):
    assert read_as(tmp_path, words, "cp1252") == "as written"


def test_encoding_when_it_is_stated_or_utf8_then_nothing_is_doubted(tmp_path):
    name = tmp_path / "x.csv"
    file = SourceFile("deals", name, name.name)
    name.write_bytes("name,n\nMolière,1\n".encode("cp1252"))
    stated = detect_dialect(file, Source(path="x.csv", encoding="cp1250"))
    assert stated is not None
    assert (stated.encoding, stated.doubt) == ("cp1250", None)
    for words in (["Łódź"], ["Molière"], ["失注"], ["£5", "¹ ³ ¿"]):
        assert read_as(tmp_path, words, "utf-8") == "as written"
        utf8 = detect_dialect(file, Source(path="x.csv"))
        assert utf8 is not None
        assert (utf8.encoding, utf8.doubt) == ("utf-8", None)


@pytest.mark.parametrize(
    ("word", "encoding", "doubt"),
    [
        (
            "Molière",
            "cp1252",
            "may be CP1250, in which è would be č; if so, set encoding = 'cp1250'",
        ),
        ("Łódź", "cp1250", "may be CP1252, in which ź, Ł would be Ÿ, £"),
    ],
)
def test_encoding_when_one_word_shows_it_then_the_doubt_names_letters_and_the_setting(
    tmp_path, word, encoding, doubt
):
    file = SourceFile("deals", tmp_path / "x.csv", "x.csv")
    file.path.write_bytes(f"name,n\n{word},1\n".encode(encoding))
    dialect = detect_dialect(file, Source(path="x.csv"))
    assert dialect is not None
    assert doubt in (dialect.doubt_in_words() or "")
