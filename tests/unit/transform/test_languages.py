"""Coursera's language tags in the platform's enumeration."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transform.courses.languages import LANGUAGES, platform_language, to_platform


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        # known as they are
        ("en", "en"),
        ("fr", "fr"),
        ("sr", "sr"),
        ("hi", "hi"),
        ("vi", "vi"),
        # known regions
        ("pt-BR", "pt_BR"),
        ("pt-MZ", "pt_MZ"),
        ("en-GB", "en_GB"),
        ("en-CA", "en_CA"),
        ("es-MX", "es_MX"),
        ("es-AR", "es_AR"),
        ("fr-CA", "fr_CA"),
        ("nl-BE", "nl_BE"),
        # region or script dropped where only the language is known
        ("pt-PT", "pt"),
        ("en-US", "en"),
        ("es-419", "es"),
        ("de-AT", "de"),
        ("sr-Latn", "sr"),
        ("sr-Latn-RS", "sr"),
        # Chinese
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("zh-Hans", "zh"),
        ("zh-Hans-CN", "zh"),
        ("zh-SG", "zh"),
        ("cmn", "zh"),
        ("zh-TW", "zh_tw"),
        ("zh-Hant-TW", "zh_tw"),
        ("zh-HK", "zh_HANT"),
        ("zh-MO", "zh_HANT"),
        ("zh-Hant", "zh_HANT"),
        ("zh-Hant-HK", "zh_HANT"),
        ("yue", "zh_HANT"),
        # languages that the platform knows in one region only
        ("am", "am_ET"),
        ("he", "he_IL"),
        ("ht", "ht_HT"),
        ("kar", "kar_MM"),
        ("mh", "mh_MH"),
        ("mn", "mn_MN"),
        ("my", "my_MM"),
        ("nn", "nn_NO"),
        ("rn", "rn_BI"),
        ("rw", "rw_RW"),
        ("so", "so_SO"),
        ("sw", "sw_KE"),
        ("sw-TZ", "sw_KE"),
        ("ti", "ti_ET"),
        ("tl", "tl_PH"),
        ("yo", "yo_NG"),
        # other names of the same language
        ("fil", "tl_PH"),
        ("fil-PH", "tl_PH"),
        ("iw", "he_IL"),
        ("in", "id"),
        ("mo", "ro"),
        ("nb", "no"),
        ("nb-NO", "no"),
        ("no", "no"),
        ("ksw", "kar_MM"),
        # spelling
        ("PT-br", "pt_BR"),
        ("pt_BR", "pt_BR"),
        ("ZH_hant", "zh_HANT"),
        (" fr ", "fr"),
        # unknown
        ("fa", None),
        ("tlh", None),
        ("xx-BR", None),
        ("English", None),
        ("", None),
        ("-", None),
    ],
)
def test_platform_language(tag: str, expected: str | None) -> None:
    assert platform_language(tag) == expected


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_the_platforms_own_codes_are_themselves(code: str) -> None:
    assert platform_language(code) == code
    assert platform_language(code.upper().replace("_", "-")) == code


def test_a_column_keeps_its_index_and_holes() -> None:
    mapped = to_platform(pd.Series(["pt-BR", None, "fa", "pt-BR"], index=[4, 4, 5, 6], dtype="str"))
    assert mapped.index.tolist() == [4, 4, 5, 6]
    assert mapped.isna().tolist() == [False, True, True, False]
    assert mapped.dropna().tolist() == ["pt_BR", "pt_BR"]
    assert mapped.dtype == "str"


def test_an_empty_column_stays_text() -> None:
    assert to_platform(pd.Series([], dtype="str")).dtype == "str"


@settings(deadline=None)
@given(st.lists(st.none() | st.text(max_size=8) | st.sampled_from(sorted(LANGUAGES)), max_size=8))
def test_nothing_outside_the_enumeration_comes_out(tags: list[str | None]) -> None:
    mapped = to_platform(pd.Series(tags, dtype="str"))
    assert set(mapped.dropna()) <= LANGUAGES
    assert len(mapped) == len(tags)
