"""What the names of tables and columns say, in English and German.

A vocabulary is a list of words; `*` stands for any letters, as German joins its words: `*telefon*`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


class Vocabulary:
    """Words that mean much the same."""

    def __init__(self, words: str) -> None:
        self._each = [re.compile(re.escape(word).replace(r"\*", ".*") + r"\Z") for word in words.split()]

    def has(self, word: str) -> bool:
        return any(each.match(word) for each in self._each)

    def in_name(self, name: str) -> bool:
        """Whether a word of the name is one of these, or two that stand together are: `e_mail`, `card no`."""
        return any(self.has(word) for word in _readings(name))

    def at_end(self, name: str) -> bool:
        """Whether the last word of the name is one: in both languages it says what the thing is."""
        own = words(name)
        return bool(own) and self.has(own[-1])

    def rank(self, name: str) -> int:
        """The place in the list of the first word that is in the name: the lists begin with the clearest."""
        found = (n for n, each in enumerate(self._each) if any(each.match(word) for word in _readings(name)))
        return next(found, len(self._each))


def _readings(name: str) -> tuple[str, ...]:
    own = words(name)
    pairs = (first + second for first, second in pairwise(own))
    return (*own, *pairs, "".join(own))


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of a name in small letters, without accents: `customerID`, `Customer Id`, `customer_id` are alike."""
    plain = unicodedata.normalize("NFKD", name.translate(_UMLAUTS)).encode("ascii", "ignore").decode()
    return tuple(part.lower() for part in _PARTS.findall(plain))


@cache
def stem(name: str) -> str:
    """What is left of a name when plural and case are taken off: customers and customer, Kunden and Kunde."""
    joined = re.sub(r"ies\Z", "y", "".join(words(name)))
    joined = joined.replace("ae", "a").replace("oe", "o").replace("ue", "u")  # Auftrag, Aufträge
    shorter = re.sub(r"[ens]+\Z", "", joined)
    return shorter if len(shorter) >= 2 else joined


def begins_with(name: str, other: str) -> bool:
    """Whether a table is named for another: ticket_watchers for tickets, without the same words before both."""
    own, theirs = words(name), words(other)
    while own and theirs and own[0] == theirs[0] and len(theirs) > 1:
        own, theirs = own[1:], theirs[1:]
    return len(own) > len(theirs) > 0 and stem("_".join(own[: len(theirs)])) == stem("_".join(theirs))


def singular(name: str) -> str:
    """A name for one of the things that a table is named for: customers is `customer`, Kunden is `kunde`."""
    *before, last = words(name) or ("record",)
    for ending, one in _SINGULARS:
        if last.endswith(ending) and (len(ending) > 4 or len(last) > len(ending) + 1):
            last = last.removesuffix(ending) + one
            break
    text = "_".join((*before, last))
    return text if text[0].isalpha() else f"table_{text}"


_SINGULARS = (
    ("kunden", "kunde"), ("auftraege", "auftrag"), ("vorgaenge", "vorgang"), ("reparaturen", "reparatur"),
    ("rechnungen", "rechnung"), ("zahlungen", "zahlung"), ("sendungen", "sendung"), ("meldungen", "meldung"),
    ("personen", "person"), ("adressen", "adresse"), ("positionen", "position"), ("anrufe", "anruf"),
    ("geraete", "geraet"), ("produkte", "produkt"), ("notizen", "notiz"), ("maschinen", "maschine"),
    ("kontakte", "kontakt"), ("anfragen", "anfrage"), ("statuses", "status"), ("status", "status"),
    ("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("ss", "ss"), ("us", "us"), ("s", ""),
)  # fmt: skip

# -- tables ------------------------------------------------------------------------------------------------------

SUBJECTS = Vocabulary(
    "customer* client* kunde* kundin* person people personen contact* kontakt* caller* anrufer* requester* "
    "consumer* enduser* member* mitglied* patient* subscriber* kundenstamm*"
)
STAFF = Vocabulary(
    "staff* operator* user* employee* agent* technician* engineer* worker* mitarbeiter* benutzer* bediener* "
    "techniker* personal admin* team* group* gruppe* supplier* lieferant* vendor* dealer* haendler* courier* role* "
    "rolle*"
)
DETAILS = Vocabulary(
    "note* message* comment* line* item* attachment* history log logs event* entry entries article* post posts "
    "thread* consignment* shipment* deliver* part parts *position positionen *positionen *notiz* *nachricht* "
    "*kommentar* anhang* anhaenge *verlauf* *sendung* *lieferung* *historie* follow* *detail* participant* value "
    "values teile*"
)
PAYMENTS = Vocabulary(
    "payment* invoice* transaction* bill bills billing *rechnung* *zahlung* *buchung* *beleg* *quittung* receipt* "
    "charge charges refund*"
)
REPAIRS = Vocabulary(
    "repair* order orders rma* job jobs workorder* *auftrag* *auftraege* *reparatur* return returns workshop* "
    "*werkstatt* *instandsetzung* retoure*"
)
CALLS = Vocabulary(
    "call calls ticket* case cases incident* enquir* inquir* request requests helpdesk* issue* conversation* "
    "*anruf* *vorgang* *vorgaenge* *anfrage* *stoerung* *meldung* support* phonecall*"
)
PRODUCTS = Vocabulary(
    "product* device* asset* machine* equipment appliance* unit units registration* *geraet* *produkt* *maschine* "
    "warrant* *garantie*"
)

# -- columns that hold personal data ---------------------------------------------------------------------------

PERSONAL = {
    "an e-mail address": Vocabulary("email* mail mails *mailadresse *email"),
    "a telephone number": Vocabulary(
        "phone* telephone* tel telno mobile* cell cellphone fax* telefax* *telefon* handy* mobil* rufnummer* *phone"
    ),
    "a postcode": Vocabulary("postcode* postal* zip zipcode plz *postleitzahl *postcode pcode"),
    "a card or a bank account": Vocabulary(
        "card cards creditcard debitcard cardno cardnumber cardnum cardholder cardexpiry cc ccnum pan cvv cvv2 cvc "
        "iban bic konto* blz bankleitzahl bankverbindung accountnumber accountno sortcode bankaccount *kreditkarte* "
        "karte karten* *kartennummer"
    ),
    "who somebody is": Vocabulary(
        "birth* dob birthday birthdate geburt* geboren* passport* ausweis* ssn nino steuernummer steuerid taxid "
        "gender sex geschlecht salutation anrede nationality religion marital* username login password passwd pwd "
        "passwort kennwort benutzername signature unterschrift photo foto avatar ip ipaddress facebook twitter "
        "skype kundennr kundennummer customerno customernumber"
    ),
    "a person's name": Vocabulary(
        "firstname lastname surname forename fullname fname lname middlename initials vorname* nachname* "
        "familienname* geburtsname ansprechpartner* nickname kundenname* *inhaber* holder payee payer recipient* "
        "signatory empfaenger* absender* sender author caller* anrufer* melder* reporter* requester* requestor "
        "contact kontakt person contactname personname"
    ),
    "an address": Vocabulary(
        "address* addr* street* str *strasse *strassen *anschrift* *adresse* hausnr hausnummer house city town "
        "village county ort wohnort stadt suburb district line1 line2"
    ),
    "free text, which may tell of people": Vocabulary(
        "reason* resolution* fault* description* descr desc subject body text texts message* comment* note notes "
        "remark* memo content* symptom* complaint* diagnosis* feedback problem* solution* work workdone done "
        "answer* question* *bemerkung* *notiz* grund *beschreibung* betreff* *nachricht* *kommentar* *loesung* "
        "anliegen* inhalt* mangel* schaden* ursache* taetigkeit* anmerkung* transcript* summary title titel topic "
        "fehler*"
    ),
}
NAME = Vocabulary("name names nachname bezeichnung")
CARDS = Vocabulary(
    "card cards creditcard cardno cardnumber cardnum cardexpiry cc ccnum pan cvv cvv2 cvc karten* *karte"
)
CARD_HOLDERS = Vocabulary("holder cardholder *inhaber* owner name")
REGIONS = Vocabulary("state country land region province bundesland")

NOT_PERSONAL = Vocabulary(
    "status* state* type* kind category class code codes model* make brand manufacturer *hersteller* serial* sn "
    "*seriennummer* *seriennr sku ean currency *waehrung channel *kanal direction courier* carrier priority* "
    "*prioritaet* severity language lang sprache locale country land version source quelle queue level colour color "
    "size farbe groesse typ art *art kategorie modell* marke* zustand method format mime* extension encoding uuid "
    "guid hash checksum tracking* permission flag enabled active tax rate rating score timezone icon slug sort unit "
    "einheit module"
)
STATUSES = Vocabulary("status* state* *zustand bearbeitungsstand phase stage")

# -- columns that hold dates -----------------------------------------------------------------------------------

ENDED = Vocabulary(
    "completed completion closed close finished finish resolved solved done ended end delivered returned dispatched "
    "abgeschlossen* abschluss* erledigt* fertig* beendet* ende geschlossen* ausgeliefert* geloest* zurueckgegeben*"
)
BEGAN = Vocabulary(
    "created create creation received receive registered registration opened open booked accepted bought purchased "
    "purchase submitted posted arrived incoming issued entered reported called begin began start started taken paid "
    "ordered sent raised logged added inserted date datum time at on angelegt* anlage* erstellt* *eingang* "
    "eingegangen* angenommen* annahme* erfasst* anruf* bezahlt* bestellt* gemeldet* begonnen* gekauft* kauf* "
    "verkauft* *datum zeitpunkt uhrzeit beginn since seit"
)
UNTIL = Vocabulary(
    "warranty guarantee until expires expiry expiration expired valid validto *garantie* *gewaehr* bis *bis ablauf* "
    "gueltig*"
)
WARRANTY = Vocabulary("warranty* guarantee* *garantie* *gewaehr*")
MOVING = Vocabulary(
    "updated update modified changed change touched synced seen lastlogin login *geaendert* aenderung* *aenderung "
    "due deadline target planned scheduled appointment reminder sla follow next faellig* termin* geplant* "
    "wiedervorlage* mtime hired"
)
BORN = Vocabulary("birth* dob birthday birthdate geburt* geboren*")
DATED = Vocabulary("at on date* time* datum *datum zeit* *zeit stamp ts tstamp unix epoch")

# -- links -----------------------------------------------------------------------------------------------------

_LINK_ENDINGS = ("nummer", "number", "key", "ref", "code", "uuid", "num", "nr", "no", "id", "fk")


def link_stem(column: str) -> str | None:
    """The stem of what a column's name points to: `customer_id`, `KundenNr`, `customer`; None for a bare `id`."""
    joined = "".join(words(column))
    for ending in _LINK_ENDINGS:
        if joined.endswith(ending) and len(joined) > len(ending) + 1:
            joined = joined.removesuffix(ending)
            break
    else:
        if joined in _LINK_ENDINGS:
            return None
    return stem(joined)


def looks_like_link(column: str) -> bool:
    """Whether a column is named as links are: with id, nr, no at its end."""
    joined = "".join(words(column))
    return words(column)[-1:] in [(e,) for e in _LINK_ENDINGS] or joined.endswith(("id", "nr", "nummer"))


POLYMORPHIC = ("type", "class", "kind", "table", "typ", "model", "art")


def polymorphic_partner(column: str, others: tuple[str, ...]) -> str | None:
    """The column that says to which table another leads: `object_type` for `object_id`; None where there is none."""
    own = words(column)
    if len(own) < 2 or own[-1] not in ("id", "nr", "key"):
        return None
    for other in others:
        theirs = words(other)
        if theirs[:-1] == own[:-1] and theirs[-1] in POLYMORPHIC:
            return other
    return None
