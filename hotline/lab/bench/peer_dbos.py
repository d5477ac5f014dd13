"""`python -m hotline.lab.bench.peer_dbos`: the life as the documentation of PyPI `dbos` would write it.

A durable workflow. A step returns each fact of our own. Each fact from outside is sent to the workflow and
received by it. The outside lives in the same process, as a web hook's handler would. Defaults everywhere;
each process is an executor of its own. `peer` describes its orders.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from dbos import DBOS, DBOSConfig, SetWorkflowID

from hotline.lab.bench.peer import Body, PeerLife, PeerOrders, read_orders, serve

SAID_SECONDS_MAX: Final = 120.0
"""How long a life waits for what the outside says."""

SIGNED: Final = "signed"
ANSWERED: Final = "answered"
VISITED: Final = "visited"


class PeerOutside:
    """Units and dialler: they answer what a step has told them, from threads of their own."""

    def __init__(self) -> None:
        """Nothing to answer yet."""
        self.lives: dict[str, list[Body]] = {}
        self._threads = ThreadPoolExecutor(4)

    def ordered(self, complaint_id: str) -> None:
        """A unit has its order: it signs and answers."""
        self._threads.submit(self._reply, complaint_id)

    def asked(self, complaint_id: str) -> None:
        """The dialler is to ask the citizen."""
        self._threads.submit(
            DBOS.send, complaint_id, self.lives[complaint_id][6], topic=VISITED
        ).add_done_callback(lambda sent: sent.result())

    def _reply(self, complaint_id: str) -> None:
        bodies = self.lives[complaint_id]
        DBOS.send(complaint_id, bodies[3], topic=SIGNED)
        DBOS.send(complaint_id, bodies[4], topic=ANSWERED)


outside = PeerOutside()


@DBOS.step()
def classify(complaint_id: str) -> Body:
    """Return the classification: subject and class of limit."""
    return outside.lives[complaint_id][1]


@DBOS.step()
def dispatch(complaint_id: str) -> Body:
    """To the unit that must act."""
    outside.ordered(complaint_id)
    return outside.lives[complaint_id][2]


@DBOS.step()
def schedule_visit(complaint_id: str) -> Body:
    """The citizen is to be asked."""
    outside.asked(complaint_id)
    return outside.lives[complaint_id][5]


@DBOS.step()
def close(complaint_id: str) -> Body:
    """The end."""
    return outside.lives[complaint_id][7]


@DBOS.workflow()
def life(received: Body) -> str:
    """A complaint from its request, which is the workflow's recorded input, to its end."""
    complaint_id: str = received["complaint_id"]
    classify(complaint_id)
    dispatch(complaint_id)
    for topic in (SIGNED, ANSWERED):
        _said(topic)
    schedule_visit(complaint_id)
    _said(VISITED)
    close(complaint_id)
    return "closed"


def _said(topic: str) -> None:
    if DBOS.recv(topic, timeout_seconds=SAID_SECONDS_MAX) is None:
        raise TimeoutError(topic)


def live(told: PeerLife) -> None:
    """Start the life and wait for its end."""
    outside.lives[told.complaint_id] = told.bodies
    with SetWorkflowID(told.complaint_id):
        handle = DBOS.start_workflow(life, told.bodies[0])
    handle.get_result()


def facts_of(complaint_id: str) -> list[Body] | None:
    """The input and what steps and messages left behind, in their order; None where it is not closed."""
    status = DBOS.get_workflow_status(complaint_id)
    if status is None or status.status != "SUCCESS" or status.output != "closed" or status.input is None:
        return None
    said = [step["output"] for step in DBOS.list_workflow_steps(complaint_id)]
    return [*status.input["args"], *(body for body in said if isinstance(body, dict))]


def config_of(orders: PeerOrders) -> DBOSConfig:
    """The library's settings for the database in the orders."""
    return {
        "name": "hotline-peer",
        "system_database_url": orders.postgres,
        "executor_id": f"executor-{orders.number}",
        "application_version": "1",
        "log_level": "ERROR",
    }


def main() -> None:
    """Read the orders, live."""
    orders = read_orders()
    DBOS(config=config_of(orders))
    DBOS.launch()
    try:
        serve(orders, live, facts_of)
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    main()
