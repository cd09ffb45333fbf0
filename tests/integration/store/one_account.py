"""`python -m tests.integration.store.one_account FOLDER`: the engine as somebody with the rights of an account.

A line of standard input is a statement as a JSON string; the answer is a line too: {"rows": text} or {"error": code}.
The account and the definer of views are in FOLDER/users.xml, the store in FOLDER/store. The engine enforces rights as a
server would, and lets only one account in: each needs a process of its own.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

_USERS = """<clickhouse>
  <profiles><default><readonly>{readonly}</readonly></default></profiles><quotas><default/></quotas>
  <users>
    <default>
      <password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
      {grants}<databases>{policies}</databases>
    </default>
    <{definer}>
      <no_password/><networks></networks><profile>default</profile><quota>default</quota>{definers}
    </{definer}>
  </users>
</clickhouse>"""
_ADMINISTRATOR = "<access_management>1</access_management><named_collection_control>1</named_collection_control>"


def put_account(
    folder: Path, database: str, statements: Iterable[str], roles: Iterable[str] = (), readonly: int = 0
) -> None:
    """Makes the account one with these roles, as the statements grant them; without roles, an administrator."""
    statements, definer = list(statements), f"{database}_views"
    held = [grant for role in roles for grant in _grants(statements, role)]
    policies = "".join(_policies(statements, role) for role in roles)
    (folder / "users.xml").write_text(
        _USERS.format(
            readonly=readonly,
            grants=f"<grants>{''.join(held)}</grants>" if held else _ADMINISTRATOR,
            policies=f"<{database}>{policies}</{database}>" if policies else "",
            definer=definer,
            definers=f"<grants>{''.join(_grants(statements, definer))}</grants>",
        )
    )
    (folder / "config.xml").write_text(f"<clickhouse><users_config>{folder / 'users.xml'}</users_config></clickhouse>")


def _grants(statements: Iterable[str], role: str) -> list[str]:
    """What is granted to a role, with what is granted to the roles that it has."""
    found = []
    for statement in statements:
        if parts := re.fullmatch(rf"(GRANT .+ ON .+) TO `{role}`", statement):
            found.append(f"<query>{escape(parts[1])}</query>")
        elif parts := re.fullmatch(rf"GRANT `(\w+)` TO `{role}`", statement):
            found += _grants(statements, parts[1])
    return found


def _policies(statements: Iterable[str], role: str) -> str:
    form = rf"CREATE ROW POLICY .+ ON `\w+`\.`(\w+)` FOR SELECT USING (.+) AS RESTRICTIVE TO `{role}`"
    found = [re.fullmatch(form, statement) for statement in statements]
    return "".join(f"<{one[1]}><filter>{escape(one[2])}</filter></{one[1]}>" for one in found if one)


def main(folder: Path) -> None:
    """Answers until standard input ends."""
    import chdb

    engine = chdb.connect(f"{folder / 'store'}?config-file={folder / 'config.xml'}")
    for line in sys.stdin:
        try:
            answer = {"rows": engine.query(json.loads(line), "TSVRaw").bytes().decode()}
        except RuntimeError as error:
            code = re.search(r"Code: (\d+)", str(error))
            answer = {"error": code[1] if code else "?", "text": str(error)[:300]}
        print(json.dumps(answer), flush=True)
    engine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
