"""What the bulk operations take: the rules of the published contract for each kind of row."""

from sandbox.learning360.schema import array, boolean, date_time, number, record, text
from sandbox.values import is_object_id


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LANGUAGES = _words(
    "bg cs da de el en es fi fr hr ht_HT hu id it ja kar_MM ko lt mh_MH nl nl_BE no pl pt ro ru rw_RW sk "
    "sl so_SO sv sw_KE th ti_ET tr uk zh am_ET bn bs ca cy en_CA en_GB es_AR es_MX et fr_CA gu he_IL hy "
    "kk km lo lv mi mn_MN mr ms my_MM nn_NO or pa pt_BR pt_MZ rn_BI si ta te tl_PH ur uz yo_NG zh_tw hi "
    "sr ar vi zh_HANT"
)
CONTENT_TYPES = _words(
    "article assessment audiobook book certificate channel course curriculum interactive journey labs "
    "linkedContent mooc podcast program roleplay specialization topvoice video"
)

MAX_COURSES, MAX_ARCHIVED, MAX_STATISTICS = 10_000, 1_000, 10_000

_some_text = text(1)
_language = text(one_of=LANGUAGES)
_percent = number(0, 100)

_translated_fields = record({
    "description": _some_text,
    "launchUrl": _some_text,
    "mobileLaunchUrl": _some_text,
    "name": _some_text,
    "subjects": array(_some_text),
})  # fmt: skip

course = record(
    {
        "defaultLang": _language,
        "externalId": _some_text,
        "launchUrl": _some_text,
        "name": _some_text,
        "sources": array(record({"name": _some_text, "logoUrl": _some_text}, ["name"])),
        "subjects": array(_some_text),
        "contentType": text(one_of=CONTENT_TYPES),
        "description": _some_text,
        "difficultyLevel": text(one_of=("advanced", "beginner", "intermediate")),
        "duration": number(1, 100_000, integer=True),
        "imageUrl": _some_text,
        "mobileLaunchUrl": _some_text,
        "authorId": text(pattern=is_object_id),
        "translations": array(
            record({"lang": _language, "translatedFields": _translated_fields}, ["lang", "translatedFields"])
        ),
    },
    ["defaultLang", "externalId", "launchUrl", "name", "sources", "subjects"],
)

archived_course = record({"externalId": _some_text}, ["externalId"])

statistic = record(
    {
        "courseIdentifier": record(
            {"type": text(one_of=("externalId", "internalId")), "value": _some_text}, ["type", "value"]
        ),
        "forceNew": boolean,
        "userIdentifier": record(
            {"type": text(one_of=("mail", "internalId")), "value": _some_text}, ["type", "value"]
        ),
        "lang": _language,
        "progress": _percent,
        "score": _percent,
        "result": text(one_of=("success", "failed")),
        "timeSpent": number(1),
        "firstActivityAt": date_time,
        "lastActivityAt": date_time,
    },
    ["courseIdentifier", "userIdentifier", "progress", "timeSpent", "firstActivityAt", "lastActivityAt"],
)
