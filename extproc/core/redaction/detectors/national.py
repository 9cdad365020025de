"""National identification numbers, each with the check digits of its country (python-stdnum knows them)."""

from typing import Final

from stdnum.ar import cuit
from stdnum.at import vnr
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.bg import egn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.gr import amka
from stdnum.ie import pps
from stdnum.il import idnr as israeli
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.nz import ird
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.sg import uen
from stdnum.tr import tckimlik
from stdnum.us import itin
from stdnum.za import idnr as south_african

from extproc.core.redaction.detectors.checks import by, digits
from extproc.core.redaction.detectors.rules import Rule, likely, only_near

__all__ = ["NATIONAL"]

_DIGIT: Final = "[0-9lmnpqrstuv]"
"""A digit of an Italian code, or the letter that stands for it where two people would have the same one."""
_NINE: Final = r"\d[ \-]?\d[ \-]?\d[ \-]?\d[ \-]?\d[ \-]?\d[ \-]?\d"


def _nino(text: str) -> bool:
    plain = text.upper().replace(" ", "")
    return plain[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"} and len(digits(plain)) == 6


def _dni(text: str) -> bool:
    return _valid_dni("".join(filter(str.isalnum, text)).zfill(9))


_valid_dni: Final = by(dni)


def _rrn(text: str) -> bool:
    # since October 2020 the last digits are drawn by lot: the day of birth is all that can be checked
    number = digits(text)
    try:
        rrn.get_birth_date(number)
    except ValidationError:
        return False
    return True


NATIONAL: Final[tuple[Rule, ...]] = (
    likely(
        "uk_nino",
        r"(?i)[a-z][a-z] ?\d\d ?\d\d ?\d\d ?[a-d]",
        r"(?i:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])",
        _nino,
        "insurance",
        "nino",
    ),
    only_near("uk_nhs", _NINE, r"\d{3}[ \-]?\d{3}[ \-]?\d{4}", by(nhs), "nhs", "health service", "patient"),
    likely("us_itin", r"9\d\d[\- ]\d\d", r"9\d{2}[\- ]\d{2}[\- ]\d{4}", by(itin), "itin", "taxpayer", "tax"),
    only_near("us_itin", r"9\d\d\d\d", r"9\d{8}", by(itin), "itin", "taxpayer", "tax id"),
    likely("ca_sin", r"\d\d\d[ \-]\d\d\d[ \-]\d\d\d", r"\d{3}[ \-]\d{3}[ \-]\d{3}", by(sin), "sin", "social insurance"),
    only_near("ca_sin", _NINE, r"\d{9}", by(sin), "sin", "social insurance"),
    only_near("de_tax_id", _NINE, r"\d{2} ?\d{3} ?\d{3} ?\d{3}", by(idnr), "steuer", "tax", "idnr", "tin"),
    likely("fr_nir", _NINE, r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}", by(nir), "sécurité", "nir"),
    likely("es_nif", r"\d\d\d\d[\- ]?[A-Za-z]", r"\d{7,8}[\- ]?[A-Za-z]", _dni, "dni", "nif", "documento"),
    likely("es_nie", r"(?i)[xyz][\- ]?\d", r"(?i:[XYZ])[\- ]?\d{7}[\- ]?[A-Za-z]", by(nie), "nie", "extranjero"),
    likely(
        "it_fiscal_code",
        rf"(?i)[a-z]{_DIGIT}{_DIGIT}[a-z]{_DIGIT}{_DIGIT}[a-z]{_DIGIT}{_DIGIT}{_DIGIT}[a-z]",
        r"(?i:[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z])",
        by(codicefiscale),
        "fiscale",
        "codice",
    ),
    only_near(
        "nl_bsn",
        rf"{_NINE}|\d\d\d\d[ .]\d\d[ .]\d\d\d",
        r"\d{9}|\d{4}[ .]\d{2}[ .]\d{3}",
        by(bsn),
        "bsn",
        "burger",
        "sofi",
    ),
    likely("be_national", r"\d\d\.\d\d\.\d\d-\d", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", by(nn), "national", "rijks"),
    only_near("be_national", _NINE, r"\d{11}", by(nn), "rijksregister", "registre national", "national number"),
    only_near("pl_pesel", _NINE, r"\d{11}", by(pesel), "pesel"),
    likely("se_personal", r"\d\d\d\d[\-+]\d\d\d\d", r"(?:\d{2})?\d{6}[\-+]\d{4}", by(personnummer), "personnummer"),
    only_near("se_personal", _NINE, r"(?:19|20)?\d{10}", by(personnummer), "personnummer", "pnr", "swedish id"),
    likely("fi_personal", r"\d\d\d\d[A-Ya-y+\-]\d\d\d", r"\d{6}[A-FU-Y+\-]\d{3}[0-9A-Z]", by(hetu), "hetu", "henkilö"),
    likely("dk_personal", r"\d\d\d\d-\d\d\d\d", r"\d{6}-\d{4}", by(cpr), "cpr", "personnummer"),
    only_near("no_personal", _NINE, r"\d{6} ?\d{5}", by(fodselsnummer), "fødsel", "fodsel", "personnummer"),
    only_near("pt_tax_id", _NINE, r"\d{3} ?\d{3} ?\d{3}", by(nif), "nif", "contribuinte"),
    only_near("at_insurance", _NINE, r"\d{4} ?\d{6}", by(vnr), "svnr", "versicherung"),
    likely("ch_insurance", r"756\.?\d", r"756\.?\d{4}\.?\d{4}\.?\d{2}", by(ahv), "ahv", "avs"),
    likely("br_cpf", r"\d\d\d\.\d\d\d\.\d", r"\d{3}\.\d{3}\.\d{3}-\d{2}", by(cpf), "cpf"),
    only_near("br_cpf", _NINE, r"\d{11}", by(cpf), "cpf"),
    likely("cl_rut", r"\d\d\d-[\dkK]", r"\d{1,2}\.?\d{3}\.?\d{3}-[\dkK]", by(rut), "rut", "run"),
    likely("ar_cuit", r"\d\d-\d\d\d", r"\d{2}-\d{8}-\d", by(cuit), "cuit", "cuil"),
    likely("mx_curp", r"(?i)[a-z]\d\d\d\d\d\d[hm]", r"(?i:[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d)", by(curp), "curp"),
    likely(
        "in_aadhaar", r"\d\d\d\d[ \-]\d\d\d\d[ \-]", r"[2-9]\d{3}[ \-]\d{4}[ \-]\d{4}", by(aadhaar), "aadhaar", "uid"
    ),
    only_near("in_aadhaar", _NINE, r"[2-9]\d{11}", by(aadhaar), "aadhaar", "uidai"),
    likely("in_pan", r"(?i)[a-z][a-z]\d\d\d\d[a-z]", r"(?i:[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z])", by(pan), "pan"),
    only_near("au_tfn", _NINE, r"\d{3} ?\d{3} ?\d{3}", by(tfn), "tfn", "tax file"),
    only_near("nz_ird", r"\d\d\-?\d\d\d", r"\d{2,3}-?\d{3}-?\d{3}", by(ird), "ird", "inland revenue"),
    likely("kr_resident", r"\d\d\d\d-\d\d\d\d", r"\d{6}-[1-8]\d{6}", _rrn, "rrn", "resident"),
    only_near("kr_resident", _NINE, r"\d{6}[1-8]\d{6}", _rrn, "rrn", "resident registration"),
    only_near("za_id", _NINE, r"\d{13}", by(south_african), "south africa", "id number", "identity"),
    only_near("tr_id", _NINE, r"[1-9]\d{10}", by(tckimlik), "kimlik", "tckn", "tc no", "turkish id"),
    only_near("il_id", _NINE, r"\d{9}", by(israeli), "teudat", "israel"),
    only_near("bg_personal", _NINE, r"\d{10}", by(egn), "egn", "егн"),
    likely("cz_birth_number", r"\d\d\d\d/\d\d\d", r"\d{6}/\d{3,4}", by(rc), "rodné", "rodne"),
    only_near("ro_cnp", _NINE, r"[1-9]\d{12}", by(cnp), "cnp", "cod numeric"),
    only_near("gr_amka", _NINE, r"\d{11}", by(amka), "amka"),
    likely("ie_pps", r"\d\d\d\d[A-Wa-w]", r"\d{7}[A-Wa-w][A-IWa-iw]?", by(pps), "pps"),
    only_near("sg_uen", r"\d\d\d\d[A-Za-z]", r"\d{8,9}[A-Za-z]|[R-Tr-t]\d{2}[A-Za-z]{2}\d{4}[A-Za-z]", by(uen), "uen"),
)
