"""The languages of the catalog: their share of it, and how titles and topics read in them."""

from typing import NamedTuple


class Language(NamedTuple):
    """A language of contents: its share of the catalog, title patterns, and a topic for each subject."""

    share: float
    patterns: tuple[str, ...]
    topics: tuple[str, ...]


def _language(share: float, patterns: str, topics: str) -> Language:
    return Language(share, _items(patterns), _items(topics))


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split("|"))


#: The topics of each stand in the order of `SUBJECTS`.
LANGUAGES = {
    "en": _language(
        0.56,
        "Introduction to {} | {} in Practice | Foundations of {} | Advanced {} | {} for Managers | "
        "Applied {} Capstone | {}: From Theory to Results | The Essentials of {}",
        "Machine Learning | Data Analysis with SQL | Python Programming | Cloud Architecture | "
        "Cybersecurity | Inclusive Leadership | Agile Project Management | Digital Marketing | "
        "Corporate Finance | Public Health | Negotiation | User Experience Design",
    ),
    "fr": _language(
        0.08,
        "Introduction à {} | Maîtriser {} | Les bases de {}",
        "l'apprentissage automatique | l'analyse de données | la programmation Python | "
        "l'architecture cloud | la cybersécurité | l'encadrement d'équipe | "
        "la gestion de projet agile | la communication numérique | la finance d'entreprise | "
        "la santé publique | la négociation | l'expérience utilisateur",
    ),
    "es": _language(
        0.09,
        "Introducción a {} | Fundamentos: {} | {} en la práctica",
        "aprendizaje automático | análisis de datos | programación en Python | "
        "arquitectura en la nube | ciberseguridad | liderazgo | gestión ágil de proyectos | "
        "mercadotecnia digital | finanzas corporativas | salud pública | negociación | "
        "experiencia de usuario",
    ),
    "de": _language(
        0.05,
        "Einführung: {} | Grundlagen: {} | {} in der Praxis",
        "Maschinelles Lernen | Datenanalyse | Programmieren mit Python | Cloud-Architektur | "
        "Cybersicherheit | Führung | Agiles Projektmanagement | Digitales Marketing | "
        "Unternehmensfinanzierung | Öffentliche Gesundheit | Verhandlungsführung | Nutzererlebnis",
    ),
    "pt-BR": _language(
        0.05,
        "Introdução: {} | Fundamentos de {} | {} na prática",
        "aprendizado de máquina | análise de dados | programação em Python | arquitetura em nuvem | "
        "cibersegurança | liderança | gestão ágil de projetos | marketing digital | "
        "finanças corporativas | saúde pública | negociação | experiência do usuário",
    ),
    "zh-CN": _language(
        0.04,
        "{}入门 | {}基础 | {}实践",
        "机器学习 | 数据分析 | Python 编程 | 云架构 | 网络安全 | 领导力 | 敏捷项目管理 | 数字营销 | "
        "公司金融 | 公共卫生 | 谈判技巧 | 用户体验设计",
    ),
    "zh-TW": _language(
        0.02,
        "{}入門 | {}實務",
        "機器學習 | 資料分析 | Python 程式設計 | 雲端架構 | 資訊安全 | 領導力 | 敏捷專案管理 | "
        "數位行銷 | 公司理財 | 公共衛生 | 談判技巧 | 使用者體驗設計",
    ),
    "ja": _language(
        0.03,
        "{}入門 | {}の基礎 | 実践{}",
        "機械学習 | データ分析 | Python プログラミング | クラウド設計 | サイバーセキュリティ | "
        "リーダーシップ | アジャイルプロジェクト管理 | デジタルマーケティング | 企業財務 | "
        "公衆衛生 | 交渉術 | UX デザイン",
    ),
    "ko": _language(
        0.02,
        "{} 입문 | {} 실무",
        "머신러닝 | 데이터 분석 | 파이썬 프로그래밍 | 클라우드 아키텍처 | 사이버 보안 | 리더십 | "
        "애자일 프로젝트 관리 | 디지털 마케팅 | 기업 재무 | 공중 보건 | 협상 | 사용자 경험 디자인",
    ),
    "ar": _language(
        0.02,
        "مقدمة في {} | أساسيات {}",
        "تعلم الآلة | تحليل البيانات | البرمجة بلغة بايثون | الحوسبة السحابية | الأمن السيبراني | "
        "القيادة | إدارة المشاريع | التسويق الرقمي | تمويل الشركات | الصحة العامة | التفاوض | "
        "تجربة المستخدم",
    ),
    "he": _language(
        0.01,
        "מבוא ל{} | יסודות: {}",
        "למידת מכונה | ניתוח נתונים | תכנות בפייתון | מחשוב ענן | אבטחת סייבר | מנהיגות | "
        "ניהול פרויקטים | שיווק דיגיטלי | מימון תאגידי | בריאות הציבור | משא ומתן | חוויית משתמש",
    ),
    "hi": _language(
        0.02,
        "{} का परिचय | {} के मूल सिद्धांत",
        "मशीन लर्निंग | डेटा विश्लेषण | पायथन प्रोग्रामिंग | क्लाउड कंप्यूटिंग | साइबर सुरक्षा | "
        "नेतृत्व | परियोजना प्रबंधन | डिजिटल मार्केटिंग | कॉर्पोरेट वित्त | सार्वजनिक स्वास्थ्य | "
        "वार्ता | उपयोगकर्ता अनुभव",
    ),
    "it": _language(
        0.007,
        "Introduzione: {} | Fondamenti: {}",
        "apprendimento automatico | analisi dei dati | programmazione in Python | "
        "architettura cloud | sicurezza informatica | guida dei gruppi | "
        "gestione agile dei progetti | marketing digitale | finanza aziendale | salute pubblica | "
        "negoziazione | esperienza utente",
    ),
    # A language that 360Learning does not know: a course in it falls back to the default.
    "qu": _language(
        0.003,
        "{}",
        "Yachay antañiqi | Willakuy t'aqwi | Python qillqay | Phuyu wasichay | Amachay | Pusay | "
        "Llamk'ay kamachiy | Rantichiy | Qullqi kamay | Qhali kay | Rimanakuy | Ruway munay",
    ),
}

#: Languages that subtitles come in: regions, and a few unknown to 360Learning, among them.
SUBTITLES = _items(
    "en | fr | fr-CA | es | es-419 | de | pt-BR | pt-PT | zh-CN | zh-TW | ja | ko | ar | he | hi | it | ru | "
    "uk | pl | tr | vi | th | id | el | nl | mn | kk | ps"
)
