"""Rights in Kafka, as the table of topics gives them: of the processes, of a role's logins, of the commands.

The embedded stack, the compose file and the manifests are made from these functions. A line of the table of topics
that names a role is all it takes to give that role more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from confluent_kafka.admin import AclOperation, ResourceType

from shared import roles
from shared.doors.heard import by_login, of_login
from shared.ids import TOGETHER
from shared.text import quoted
from shared.topic_names import UNIT_NAME
from shared.topics import COMPLAINTS_ANCHORS, FEEDBACK_VISIT_RESULTS, TOPICS, UNIT, Topic

DESKS: Final = ("intake", "dispatch", "escalation", "feedback")
OPERATOR: Final = "operator"
"""Sees how far every topic goes, and reads what the log's anchors say; no message of a complaint."""
OUTSIDE: Final = "outside"
"""All roles in one, for the laboratory's cities and for tests: the simulated city and the bench play everybody."""
AT_DOORS: Final = tuple(dict.fromkeys(line.speaker for line in TOPICS if line.is_door))
"""The roles that speak."""


def command_of(role: str) -> str:
    """The principal of the commands of this machine that act for a role."""
    return f"command-{role}"


def web_of(role: str) -> str:
    """The principal of the HTTP door where it speaks for a role, or for citizens who answer a visit."""
    return f"web-{role}"


COMMANDS: Final = tuple(command_of(role) for role in AT_DOORS)
OF_WEB: Final = tuple(web_of(role) for role in (*AT_DOORS, roles.CITIZENS))
PRINCIPALS: Final = (*DESKS, TOGETHER, roles.RELAY, OPERATOR, *COMMANDS, *OF_WEB)
"""Those of every city; each of them gets a new password whenever a city opens."""

PLAIN_LOGINS: Final = tuple(role for role in roles.ROLES if role != roles.UNIT)
"""The roles that may have a login without a name."""


class Grant(NamedTuple):
    """One thing a principal may do."""

    what: ResourceType
    name: str
    prefixed: bool
    """Whether the name stands for all that begin with it."""
    may: AclOperation


@dataclass(frozen=True, slots=True)
class Login:
    """The login of a system that is no part of ours. It lasts until somebody removes it.

    A login without a name speaks on the plain topic of its role's door. One with a name has a topic of its own there.
    A unit's login has the unit's id for its name.
    """

    role: str
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse, by `ValueError` in a plain sentence, what nobody can log in as."""
        if self.role not in roles.ROLES:
            message = f"no role {quoted(self.role)}: expected one of {', '.join(roles.ROLES)}"
            raise ValueError(message)
        if self.role == roles.UNIT and not self.name:
            message = "a unit's login needs the unit's id"
            raise ValueError(message)
        if self.name and not UNIT_NAME.fullmatch(self.name):
            message = f"the name {quoted(self.name)}: expected a-z, 0-9, _ and -, as {UNIT_NAME.pattern}"
            raise ValueError(message)

    @property
    def principal(self) -> str:
        """The end of its user in Kafka, behind the city's name."""
        return f"{self.role}-{self.name}" if self.name else self.role

    @property
    def topics_heard(self) -> dict[str, Topic]:
        """The topics it may read, without the city's prefix, each with its line of the table."""
        return {self._own(line): line for line in TOPICS if self.role in line.hearers}

    @property
    def topics_spoken(self) -> dict[str, Topic]:
        """The topics it may write, without the city's prefix, each with its line of the table."""
        return {self._own(line): line for line in TOPICS if line.speaker == self.role}

    def groups(self, prefix: str) -> str:
        """The beginning of the names of its consumer groups; "" where it hears nothing."""
        if not self.topics_heard:
            return ""
        of = f"unit.{self.name}" if self.role == roles.UNIT else self.principal
        return f"{prefix}{of}."

    def _own(self, line: Topic) -> str:
        if self.role == roles.UNIT:
            return line.of(self.name)
        return of_login(line, self.name) if self.name and by_login(line) else line.name


def login_of(principal: str) -> Login | None:
    """The login with this principal; None where it is one of our own processes or commands."""
    for role in roles.ROLES:
        if principal == role and role in PLAIN_LOGINS:
            return Login(role)
        if principal.startswith(f"{role}-") and UNIT_NAME.fullmatch(principal[len(role) + 1 :]):
            return Login(role, principal[len(role) + 1 :])
    return None


def granted_to(login: Login, prefix: str) -> list[Grant]:
    """The rights of a login of a role, on its own topics alone."""
    groups = login.groups(prefix)
    return [
        *(_of_topic(prefix + topic, AclOperation.READ) for topic in login.topics_heard),
        *(_of_topic(prefix + topic, AclOperation.WRITE) for topic in login.topics_spoken),
        *([Grant(ResourceType.GROUP, groups, True, AclOperation.READ)] if groups else []),  # noqa: FBT003
    ]


def granted(principal: str, prefix: str) -> list[Grant]:
    """The rights of one of `PRINCIPALS`, or of `OUTSIDE`."""
    if principal == TOGETHER:
        shared = Grant(ResourceType.GROUP, f"{prefix}{TOGETHER}.", True, AclOperation.READ)  # noqa: FBT003
        return [shared, *(grant for desk in DESKS for grant in granted(desk, prefix))]
    if principal in DESKS:
        lines = (line for line in TOPICS if principal in line.hearers)
        heard = [grant for line in lines for grant in _of_line(line, prefix, AclOperation.READ)]
        return [Grant(ResourceType.GROUP, f"{prefix}{principal}.", True, AclOperation.READ), *heard]  # noqa: FBT003
    if principal == roles.RELAY:
        return list(_of_relay(prefix))
    if principal == OPERATOR:
        looks = [grant for line in TOPICS for grant in _of_line(line, prefix, AclOperation.DESCRIBE)]
        return [*looks, _of_topic(prefix + COMPLAINTS_ANCHORS.name, AclOperation.READ)]
    if principal in COMMANDS:
        return _of_command(principal.removeprefix(command_of("")), prefix)
    if principal in OF_WEB or principal == OUTSIDE:
        return list(_of_speaker(principal, prefix))
    message = f"{principal!r} is no principal of a city"
    raise ValueError(message)


def _of_speaker(principal: str, prefix: str) -> Iterator[Grant]:
    """On every topic of a door: of one role over HTTP, or of all of them, and then what goes out is heard too."""
    if principal == web_of(roles.CITIZENS):
        yield _of_topic(prefix + FEEDBACK_VISIT_RESULTS.name, AclOperation.WRITE)
    for line in TOPICS:
        if principal == web_of(roles.UNIT) and line.per_unit and roles.UNIT in line.hearers:
            yield from _of_line(line, prefix, AclOperation.READ)  # a unit follows its orders
        elif principal == web_of(line.speaker) or (principal == OUTSIDE and line.is_door):
            yield from _of_line(line, prefix, AclOperation.WRITE)
        elif principal == OUTSIDE:
            yield from _of_line(line, prefix, AclOperation.READ)


def _of_relay(prefix: str) -> Iterator[Grant]:
    for line in TOPICS:
        if not line.is_door:
            yield from _of_line(line, prefix, AclOperation.WRITE)
        # A unit new to the catalogue gets its topics from who first has something for it. So does a login's own topic.
        if line.per_unit or (by_login(line) and not line.is_door):
            yield from _of_line(line, prefix, AclOperation.CREATE)
    yield from _of_line(COMPLAINTS_ANCHORS, prefix, AclOperation.READ)  # goes on from its own last line


def _of_command(role: str, prefix: str) -> list[Grant]:
    """Of a person at this machine who acts for a role: on its plain topic, for every unit where units have theirs."""

    def plain(line: Topic, may: AclOperation) -> list[Grant]:
        return _of_line(line, prefix, may) if line.per_unit else [_of_topic(prefix + line.name, may)]

    heard = [grant for line in TOPICS if role in line.hearers for grant in plain(line, AclOperation.READ)]
    return heard + [
        grant for line in TOPICS if line.speaker == role for grant in plain(line, AclOperation.WRITE)
    ]


def _of_line(line: Topic, prefix: str, may: AclOperation) -> list[Grant]:
    """On every topic of a line: those of units, and beside a plain one those of logins."""
    plain = prefix + line.name.removesuffix(UNIT)
    if line.per_unit:
        return [Grant(ResourceType.TOPIC, plain, True, may)]  # noqa: FBT003
    own = [Grant(ResourceType.TOPIC, f"{plain}.", True, may)] if by_login(line) else []  # noqa: FBT003
    return [_of_topic(plain, may), *own]


def _of_topic(name: str, may: AclOperation) -> Grant:
    return Grant(ResourceType.TOPIC, name, False, may)  # noqa: FBT003
