"""Whether a role's policies allow an action. Conditions, boundaries and resource policies are not looked at."""

import json
import re
from collections.abc import Iterable
from typing import Any, cast


def allows(policies: Iterable[str], action: str, resource: str) -> bool:
    """Whether policies, as JSON texts, allow ``action`` ("ssm:GetParameters") on an ARN: a Deny wins over every Allow."""
    statements = [each for text in policies for each in _listed(json.loads(text).get("Statement"))]
    effects = {str(each.get("Effect")) for each in statements if _covers(each, action, resource)}
    return "Allow" in effects and "Deny" not in effects


def _covers(statement: dict[str, Any], action: str, resource: str) -> bool:
    return _matches(statement, "Action", action.lower(), lower=True) and _matches(statement, "Resource", resource)


def _matches(statement: dict[str, Any], element: str, value: str, *, lower: bool = False) -> bool:
    negated = f"Not{element}" in statement
    patterns = [str(each) for each in _listed(statement.get(f"Not{element}" if negated else element))]
    return negated != any(_pattern(each.lower() if lower else each).fullmatch(value) for each in patterns)


def _pattern(text: str) -> re.Pattern[str]:
    """IAM knows two wildcards, and no character classes as fnmatch does."""
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]
