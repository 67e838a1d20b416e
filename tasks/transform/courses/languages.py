"""Coursera's language codes in 360Learning's enumeration.

Coursera writes BCP 47 tags (`pt-BR`, `zh-Hant`); 360Learning has a list of its own that mixes bare
languages, regional forms and odd spellings (`zh_tw`, `zh_HANT`). A tag is looked up whole, then without its
last part, and so on down to the language: the lookup of RFC 4647, section 3.4.
"""

import pandas as pd

# ExternalCourseDTO.defaultLang in the vendor's OpenAPI document.
LANGUAGES: frozenset[str] = frozenset({
    "am_ET", "ar", "bg", "bn", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "en_CA", "en_GB",
    "es", "es_AR", "es_MX", "et", "fi", "fr", "fr_CA", "gu", "he_IL", "hi", "hr", "ht_HT", "hu",
    "hy", "id", "it", "ja", "kar_MM", "kk", "km", "ko", "lo", "lt", "lv", "mh_MH", "mi", "mn_MN",
    "mr", "ms", "my_MM", "nl", "nl_BE", "nn_NO", "no", "or", "pa", "pl", "pt", "pt_BR", "pt_MZ",
    "rn_BI", "ro", "ru", "rw_RW", "si", "sk", "sl", "so_SO", "sr", "sv", "sw_KE", "ta", "te", "th",
    "ti_ET", "tl_PH", "tr", "uk", "ur", "uz", "vi", "yo_NG", "zh", "zh_HANT", "zh_tw",
})  # fmt: skip

_ALIASES = {
    "cmn": "zh",  # Mandarin, which is what `zh` stands for
    "fil": "tl_PH",  # Filipino is standardised Tagalog
    "in": "id",  # the codes that ISO 639 withdrew in 1989 live on in older systems
    "iw": "he_IL",
    "ksw": "kar_MM",  # S'gaw Karen, the largest of the Karen languages
    "mo": "ro",  # Moldovan, withdrawn in 2008 in favour of Romanian
    "nb": "no",  # Bokmål; only Nynorsk has a code of its own there
    "yue": "zh_HANT",  # Cantonese is written in traditional characters, as in Hong Kong and Macao
    "zh-hk": "zh_HANT",  # `zh_tw` says Taiwan, so the other traditional readers get the script's code
    "zh-mo": "zh_HANT",
    "zh-hant-tw": "zh_tw",
}


def _key(code: str) -> str:
    """Spell a code as the table does: lower case, parts joined by hyphens."""
    return code.strip().lower().replace("_", "-")


def _table() -> dict[str, str]:
    """Every spelling that is looked up, and the platform's code for it.

    A language that the platform has only in one region (`he_IL`) is found by its bare code too.
    """
    exact = {_key(code): code for code in LANGUAGES}
    bare = {key.split("-")[0]: code for key, code in exact.items()}
    return bare | exact | _ALIASES


_TABLE = _table()


def platform_language(code: str) -> str | None:
    """Find the platform's code for one language tag, None where it has none.

    Case does not matter, nor whether `-` or `_` joins the parts. A region or script that the platform does
    not know is dropped: `de-AT` is `de`, and `es-419` is `es`, since neither Argentina's Spanish nor Mexico's
    stands for all of Latin America.
    """
    parts = _key(code).split("-")
    tries = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_TABLE[tag] for tag in tries if tag in _TABLE), None)


def to_platform(codes: pd.Series) -> pd.Series:
    """Map a column of language tags (str dtype) to the platform's codes (str dtype, NaN where unknown).

    A catalog has a few dozen distinct codes, so each of these is looked up once.
    """
    known = {code: platform_language(code) for code in codes.dropna().unique()}
    return codes.map(known).astype("str")
