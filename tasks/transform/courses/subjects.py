"""What a content is about and who made it: subjects and sources."""

import numpy as np
import pandas as pd

from tasks.transform.columns import Ignored, blank
from tasks.transform.courses.web_addresses import is_web_address
from tasks.transform.nested import distinct, gathered, members, objects, owners, texts

_NO_PARTNER = "Coursera"


def subjects(domain_types: pd.Series, skills: pd.Series, ignored: Ignored) -> pd.Series:
    """List each element's subjects (list of str): domains with their subdomains, then skills, each once."""
    table = objects(skills, "skills", ["skillName"], ignored)
    skill_names = texts(table["skillName"], "skills.skillName", ignored)
    names = pd.concat([_domains(domain_types, ignored), skill_names])
    return gathered(distinct(names[~blank(names)]), skills.index)


def sources(partners: pd.Series, ignored: Ignored) -> pd.Series:
    """List each element's sources (dicts with name and perhaps logoUrl); without partners it is Coursera."""
    table = objects(partners, "partners", ["name", "logoUrl"], ignored)
    names = texts(table["name"], "partners.name", ignored)
    logos = texts(table["logoUrl"], "partners.logoUrl", ignored)
    is_usable = is_web_address(logos)
    unusable = ~blank(logos) & ~is_usable
    ignored.add(owners(unusable, ignored.index), "partners.logoUrl is not a web address")
    named = ~blank(names)
    pairs = zip(names[named], logos.where(is_usable, "")[named], strict=True)
    made = pd.Series([_source(*pair) for pair in pairs], index=names.index[named], dtype=object)
    lists = [found or [_source(_NO_PARTNER, "")] for found in gathered(made, partners.index)]
    return pd.Series(lists, index=partners.index, dtype=object)


def _domains(column: pd.Series, ignored: Ignored) -> pd.Series:
    """Name the domain, then the subdomain, of each domain type in turn (str dtype, one row for each)."""
    table = objects(column, "domainTypes", ["domain", "subdomain"], ignored)
    names = pd.DataFrame({part: _names(table[part], part, ignored) for part in table.columns})
    return pd.Series(names.to_numpy().ravel(), index=np.repeat(names.index, 2), dtype="str")


def _names(column: pd.Series, part: str, ignored: Ignored) -> pd.Series:
    """Take the name out of each domain or subdomain."""
    table = members(column, f"domainTypes.{part}", ["name"], ignored)
    return texts(table["name"], f"domainTypes.{part}.name", ignored)


def _source(name: str, logo_url: str) -> dict[str, str]:
    """Write one source, without a logo where there is none."""
    return {"name": name, "logoUrl": logo_url} if logo_url else {"name": name}
