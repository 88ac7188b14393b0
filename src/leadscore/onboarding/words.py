"""The words by which columns and values are recognised, in the languages that CRMs speak most.

A word in Latin letters is a whole word, in small letters and without accents. One in other letters
is found anywhere in a name, since words change their endings or stand without blanks between them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from leadscore.audit.names import words_of
from leadscore.onboarding import more_words as more

OWN_ID = "id record guid uuid key"  # a name of these words alone is of the row itself
RECORD = "record case opportunity lead deal prospect"
NUMBER = "id key number no nr nummer guid uuid code ref номер 编号 編號 番号 번호"
ID = f"{NUMBER} {RECORD}"
CREATED = (
    "created create creation createdate createddate createdon createtime add added start started open opened "
    "opening engage entered entry reg registered registration received erstellt angelegt erstelldatum cree "
    "creado criado creato aangemaakt first begin erstellungszeit erstellungsdatum anlagedatum "
    f"создан 创建 建立 登録 作成 등록 생성 {more.CREATED}"
)
CLOSED = (
    "close closed closing closure end ended won lost decision decided abschluss geschlossen cloture cierre "
    "fechamento chiusura gesloten afgesloten beendet "
    "fermeture cerrado fechado chiuso encerramento actual finished conclusion abschlussdatum schlussdatum sluitdatum "
    f"закрыт заверш 结束 結束 关闭 關閉 完了 終了 종료 완료 {more.CLOSED}"
)
UNSURE = (
    "预计 預計 予定 見込 예정 예상 미수주 предполаг ожида"  # what makes a win a forecast as well
)
EXPECTED = (  # what makes a date a forecast
    "expected forecast planned estimated est target projected scheduled due geplant geplanter geplantes geplante "
    "erwartet erwarteter erwartetes erwartete voraussichtlich voraussichtlicher voraussichtliches prevu prevue "
    "estime estimee previsto prevista estimado estimada esperado esperada verwacht verwachte "
    f"{UNSURE} {more.EXPECTED}"
)
OUTCOME = (
    "outcome result status stage converted won conversion target success label y ergebnis resultat resultado "
    "esito uitkomst class response iswon closedwon "
    f"этап стади статус 阶段 階段 状态 狀態 结果 結果 フェーズ ステータス 단계 상태 {more.OUTCOME}"
)
AMOUNT = (
    "amount amt value revenue price total acv arr mrr tcv betrag wert umsatz montant valeur importe valor valore "
    "bedrag waarde sum budget requested fee dealsize auftragswert auftragssumme angebotswert angebotssumme "
    "nettobetrag gesamtbetrag volumen auftragsvolumen importo premium prijs precio preco "
    f"summe netto сумм бюджет 金额 金額 금액 {more.AMOUNT}"
)
NO_AMOUNT = "idx index rate ratio score id year month day count number probability percent"
OWNER = (
    "owner agent rep salesperson seller assigned user besitzer verkaufer proprietaire vendedor propietario "
    "proprietario eigenaar salesrep ownerid owned responsible responsable responsabile responsavel verantwortlich "
    "verantwortlicher betreuer verkoper assignee commercial comercial commerciale producer "
    f"bearbeiter ответствен менеджер 负责人 負責人 担当 담당 {more.OWNER}"
)
STAFF = (
    f"{OWNER} by von par por creator author manager employee staff sdr bdr ersteller mitarbeiter"
)
CURRENCY = "currency currencyisocode currencycode wahrung devise moneda moeda valuta валют 币种 幣別 通貨 통화"
KEYS = {  # what connects leads of one company or person; ids before names
    "account": "accountid accountnumber companyid customerid customernumber clientid organizationid "
    "organisationid orgid firmenid kundenid kundennummer idclient clienteid empresaid klantid "
    "associatedcompany associatedcompanyid",
    "contact": "contactid contactnumber personid kontaktid contactoid contattoid contatoid "
    "associatedcontact associatedcontactid",
}
PERSONAL = {
    "email": "email mail emailaddress",
    "phone": "phone phonenumber telephone telefon mobile",
    "company": "company account accountname companyname organization organisation firma "
    "firmenname unternehmen kunde entreprise societe empresa cuenta conta azienda ditta bedrijf "
    "klant",
    "contact": "contact contactname person fullname ansprechpartner kontakt kontaktperson contacto "
    "contatto contato contactpersoon",
}
GROUPS = {  # which may also be called so because they hold a number of people
    "contact": "contacts persons people attendees participants invitees guests recipients kontakte personen "
    "teilnehmer contactos contatos contatti contacten",
    "e-mail address": "emails",
    "company": "companies accounts organizations organisations customers clients firmen unternehmen kunden",
}
PEOPLE = {  # what activities may name in place of a lead
    "contact": f"{KEYS['contact']} {PERSONAL['contact']} {GROUPS['contact']} who attendee participant invitee "
    "guest recipient",
    "e-mail address": f"{PERSONAL['email']} {GROUPS['e-mail address']} emailaddresses",
    "company": f"{KEYS['account']} {PERSONAL['company']} {GROUPS['company']} customer client org",
}
STAGE = (
    "stage phase step status stufe etape etapa fase pipeline "
    f"этап стади статус 阶段 階段 状态 狀態 フェーズ ステータス 단계 상태 {more.STAGE}"
)
CHANGED = "change changed changes moved geandert anderung wechsel изменен 変更 变更 變更 변경"
KIND = f"activity kind type subtype event action channel aktivitat typ tipo actividad attivita subject name {more.KIND}"
FIELD = "field property column attribute feld champ campo veld"
NEW_VALUE = "value newvalue new wert valeur valor waarde to"
INBOUND = (
    "inbound incoming received reply replied visit visited download downloaded form open opened "
    "webinar click clicked answer"
)
DIRECTIONS = {  # who began -> words of a column that says in which direction it went
    "lead": "inbound incoming received eingehend entrant entrante entrada inkomend",
    "rep": "outbound outgoing sent ausgehend sortant saliente saida uitgaand",
}
WHEN = (
    "date time timestamp at on when datum zeit heure fecha hora data activitydate start logged happened day ts "
    f"ms epoch {more.WHEN}"
)
DUE = (
    "due duedate deadline reminder planned scheduled fallig falligkeit falligkeitsdatum echeance vencimiento "
    "vencimento scadenza vervaldatum"
)
DONE = "done completed finished marked erledigt abgeschlossen termine completado concluido completato voltooid"
DURATIONS = {  # our column -> words of its unit
    "duration_ms": "ms millis millisecond milliseconds",
    "duration_min": "min mins minute minutes minuten",
    "duration_s": "s sec secs second seconds sekunden",
}
DURATION = "duration dauer duree duracion duracao durata duur length talktime"
TITLE = "title jobtitle position function role funktion fonction cargo ruolo functie designation"
NO_SALES = (  # what a file is called whose rows are not what salespeople do
    "invoice invoices ticket tickets case cases order orders payment payments shipment shipments return returns "
    "newsletter newsletters campaign campaigns mailing mailings survey surveys subscription subscriptions "
    "rechnung rechnungen bestellung bestellungen zahlung zahlungen factura facturas pago pagos pedido pedidos "
    "facture factures paiement paiements commande commandes fattura fatture ordine ordini factuur facturen"
)
LETTERS = {
    "budget": "budget budgt budg funds",
    "authority": "authority decisionmaker entscheider decideur",
    "need": "need needs bedarf besoin necesidad pain",
    "timeline": "timeline timeframe purchasetimeframe timeframe zeitrahmen delai plazo",
}
SURELY_WON = (  # other words of a win may be said of a budget, a quote or a contract too
    "won win gewonnen gagne gagnee ganado ganada ganha ganho vinto vinta closedwon sold "
    f"выигр 赢 贏 成交 中标 得標 受注 成約 수주 {more.WON}"
)
WON = (
    f"{SURELY_WON} approved signed converted success successful activated order auftrag zuschlag bound "
    "успешн реализован 成功 성공"
)
SURELY_LOST = (
    "lost loss lose verloren perdu perdue perdido perdida perso persa closedlost outsold "
    f"проигр потерян 输单 輸單 丢单 丟單 落标 失注 실주 {more.LOST}"
)
LOST = (
    f"{SURELY_LOST} declined rejected cancelled canceled "
    "disqualified dead unqualified abandoned failed failure fell withdrawn withdrew abgesagt "
    "abgelehnt storniert annule annulee abandonne abandonnee refuse refusee cancelado cancelada rechazado "
    "rechazada annullato annullata rifiutato rifiutata geannuleerd afgewezen vervallen "
    f"absage неуспешн провал отказ 流失 失败 失敗 战败 見送 실패 {more.DECLINED}"
)
NO_LEAD = (  # what ends a lead that was none
    "duplicate duplicated dup junk spam invalid dublette duplikat doublon duplicado duplicada duplicato "
    "dubbel testlead ungultig invalide invalido дубл спам 重复 重複 无效 無效 無効 중복"
)
ENDED = (  # what says that a lead has closed, and not how
    "closed ended finished concluded geschlossen abgeschlossen beendet cloture cloturee cerrado cerrada fechado "
    "fechada encerrado encerrada chiuso chiusa gesloten afgesloten beeindigd "
    f"закрыт заверш 结束 結束 关闭 關閉 終了 종료 {more.ENDED}"
)
YES = {"yes", "y", "true", "1", "t", "ja", "j", "oui", "si", "sí", "sim", "tak", "ano", "igen", "evet", "да", "是",
    "はい", "예"}  # fmt: skip
NO = {"no", "n", "false", "0", "f", "nein", "non", "nao", "não", "nee", "nej", "nei", "nie", "ne", "nem",
    "hayır", "нет", "否", "いいえ", "아니요"}  # noqa: RUF001 (Turkish)  # fmt: skip
UNKNOWN = {"unknown", "unk", "n/a", "na", "?", "-", "none", "null", "pending", "tbd", "open", "maybe", "unbekannt",
    "offen", "inconnu", "desconocido", "desconhecido", "sconosciuto", "onbekend"}  # fmt: skip
NOBODY = UNKNOWN | {  # values in place of a contact or company
    "keine angabe", "k.a.", "k. a.", "ka", "keine", "n.c.", "nc", "s/o", "s/d", "sin datos", "no company",
    "not provided", "not available", "not applicable", "not specified", "unassigned", "anonymous", "anonym",
    "private", "privat", "private person", "privatperson", "individual", "self", "self-employed", "self employed",
    "freelance", "freelancer", "particulier", "particular", "privato", "нет", "无", "無", "なし", "없음",
}  # fmt: skip
OF_ACTIVITIES = (  # what a status says of an activity, and not of a lead
    "completed done open planned scheduled cancelled canceled missed held pending overdue started progress "
    "deferred waiting erledigt abgeschlossen offen geplant"
)
NEGATED = re.compile(r"\bне\b|[未不]")  # noqa: RUF001 (Cyrillic)


def speaks_of(name: str, words: str) -> int:
    """How many words of a column's name are in a list of words."""
    wanted = set(words.split())
    spoken = words_of(name)
    joined = "".join(spoken)
    n = sum(word in wanted for word in spoken) + (joined in wanted and len(spoken) > 1)
    if name.isascii():
        return n
    written = name.casefold()
    return n + sum(word in written for word in wanted if not word.isascii())


def consists_of(name: str, words: str) -> bool:
    """Whether all words of a column's name are in a list of words.

    >>> consists_of("Record ID", OWN_ID), consists_of("lead_id", OWN_ID)
    (True, False)
    """
    spoken = words_of(name)
    return bool(spoken) and set(spoken) <= set(words.split())


def is_called(name: str, words: str) -> bool:
    """Whether a column's name is one of some words, or ends with one."""
    spoken = words_of(name)
    wanted = set(words.split())
    is_joined = "".join(spoken) in wanted
    return bool(spoken) and (is_joined or spoken[-1] in wanted)


def names_id(name: str) -> bool:
    """Whether a column's name says that it holds ids.

    >>> names_id("Contact ID"), names_id("CONTACTID"), names_id("Contact Name")
    (True, True, False)
    """
    return bool(speaks_of(name, f"{NUMBER} ids {' '.join(KEYS.values())}"))


def kind_of_person(name: str) -> str | None:
    """Which of `PEOPLE` a column names; None if none of them, or our own people.

    >>> kind_of_person("Primary Contact ID"), kind_of_person("Contact Email")
    ('contact', 'e-mail address')
    >>> kind_of_person("Company Size"), kind_of_person("Account Owner"), kind_of_person("Created by email")
    (None, None, None)
    """
    if speaks_of(name, STAFF):
        return None
    spoken = words_of(name)
    while spoken and spoken[-1] in f"{NUMBER} ids name names".split():
        spoken.pop()
    for kind, called in PEOPLE.items():
        if is_called(name, called) or is_called(" ".join(spoken), called):
            return kind
    return None


def means_won(value: str) -> bool:
    """Whether a value says that a lead was won."""
    is_sure = not speaks_of(value, f"{LOST} {UNSURE}")
    return bool(speaks_of(value, WON)) and is_sure and not _is_negated(value)


def means_lost(value: str) -> bool:
    """Whether a value says that a lead was lost."""
    if speaks_of(value, LOST):
        return True
    return bool(speaks_of(value, WON)) and _is_negated(value)


def means_ended(value: str) -> bool:
    """Whether a value says that a lead has closed or was none, but not how it ended.

    >>> means_ended("Closed - No Response"), means_ended("Duplicate"), means_ended("Not closed")
    (True, True, False)
    """
    begins_negated = words_of(value)[:1] in [["not"], ["nicht"], ["non"], ["never"]]
    is_negated = begins_negated or NEGATED.match(value.casefold()) is not None
    return bool(speaks_of(value, f"{ENDED} {NO_LEAD}")) and not is_negated


def answers_yes_or_no(value: str) -> bool:
    """Whether a value is yes, no, or that nobody knows yet.

    >>> answers_yes_or_no("Ja"), answers_yes_or_no("Unknown"), answers_yes_or_no("North")
    (True, True, False)
    """
    return value.casefold() in YES | NO | UNKNOWN


def are_win_and_loss(values: Collection[str]) -> bool:
    """Whether values are the letters W and L, and words of what is not known yet.

    >>> are_win_and_loss(["W", "L", "Pending"]), are_win_and_loss(["W", "N", "L"])
    (True, False)
    """
    letters = {value.casefold() for value in values} - UNKNOWN
    return letters == {"w", "l"}


def began(value: str) -> str | None:
    """Who began what went in a direction: "lead" or "rep"; None if the value is no direction.

    >>> began("Incoming"), began("OUTBOUND"), began("north")
    ('lead', 'rep', None)
    """
    spoken = words_of(value)
    for actor, directions in DIRECTIONS.items():
        if len(spoken) == 1 and spoken[0] in directions.split():
            return actor
    return None


def _is_negated(value: str) -> bool:
    negations = {"not", "no", "nicht", "kein", "keine", "non", "never", "un"}
    is_negated = bool(negations & set(words_of(value)))
    return is_negated or NEGATED.search(value.casefold()) is not None


def numbered(name: str, taken: Collection[str]) -> str:
    """The name itself or, where it is taken, with the first number that is free.

    >>> numbered("source", ["stage"]), numbered("stage", ["stage", "stage_2"])
    ('source', 'stage_3')
    """
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def is_unspelt(text: str) -> bool:
    """Whether a text has letters, but none that a name in the settings can have.

    >>> is_unspelt("Звонок 2"), is_unspelt("Call"), is_unspelt("24")
    (True, False, False)
    """
    spoken = "".join(words_of(text))
    return not text.isascii() and not re.search("[a-z]", spoken)


def slug(text: str) -> str:
    """A name for the settings.

    >>> slug("Job Title (2)"), slug("2nd Contact"), slug("€")
    ('job_title_2', 'column_2_nd_contact', 'column')
    """
    joined = "_".join(words_of(text))
    spoken = re.sub(r"[^a-z0-9]+", "_", joined).strip("_")
    return spoken if re.match(r"[a-z]", spoken) else f"column_{spoken}".strip("_")
