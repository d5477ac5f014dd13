"""The life as the documentation of PyPI `eventsourcing` has it: `python -m hotline.lab.bench.peer_eventsourcing`.

An aggregate has a decorated method for each event. The application's commands get it from the repository,
call it and save it, with the library's own PostgreSQL recorder. Only the size of the pool is no default.
`peer` describes its orders.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from hotline.lab.bench.peer import Body, PeerLife, PeerOrders, read_orders, serve


class PeerComplaint(Aggregate):
    """One complaint; `state` is as far as it has come."""

    @event("Received")
    def __init__(self, body: Body) -> None:
        """A request is on record."""
        self.state = "received"
        self.title = body["title"]

    @staticmethod
    def create_id(body: Body) -> UUID:
        """The complaint's own."""
        return UUID(body["complaint_id"])

    @event("Classified")
    def classify(self, body: Body) -> None:
        """Record the classification: subject and class of limit."""
        self.state = "classified"
        self.classified = body

    @event("Dispatched")
    def dispatch(self, body: Body) -> None:
        """To the unit that must act."""
        self.state = "dispatched"
        self.unit = body["unit"]

    @event("Signed")
    def sign(self, body: Body) -> None:
        """The unit takes it on."""
        self.state = "signed"
        self.assignment = body["assignment"]

    @event("Answered")
    def answer(self, body: Body) -> None:
        """The unit says what it did."""
        self.state = "answered"
        self.result = body["result"]

    @event("VisitScheduled")
    def schedule_visit(self, body: Body) -> None:
        """The citizen is to be asked."""
        self.state = "visiting"
        self.visit = body["visit"]

    @event("VisitMade")
    def visited(self, body: Body) -> None:
        """Record the citizen's answer."""
        self.state = "visited"
        self.solved = body["solved"]

    @event("Closed")
    def close(self, body: Body) -> None:
        """The end."""
        self.state = "closed"
        self.closed = body


class Hotline(Application[UUID]):
    """The commands of a life; each reads the complaint, lets it say what happened, and saves it."""

    def receive(self, received: Body, classified: Body) -> UUID:
        """A request comes in and is classified."""
        complaint = PeerComplaint(received)
        complaint.classify(classified)
        self.save(complaint)
        complaint_id: UUID = complaint.id
        return complaint_id

    def dispatch(self, complaint_id: UUID, body: Body) -> None:
        """Send it to its unit."""
        complaint = self._get(complaint_id)
        complaint.dispatch(body)
        self.save(complaint)

    def sign(self, complaint_id: UUID, body: Body) -> None:
        """The unit signs."""
        complaint = self._get(complaint_id)
        complaint.sign(body)
        self.save(complaint)

    def answer(self, complaint_id: UUID, body: Body) -> None:
        """The unit answers."""
        complaint = self._get(complaint_id)
        complaint.answer(body)
        self.save(complaint)

    def schedule_visit(self, complaint_id: UUID, body: Body) -> None:
        """Have the citizen asked."""
        complaint = self._get(complaint_id)
        complaint.schedule_visit(body)
        self.save(complaint)

    def visited(self, complaint_id: UUID, made: Body, closed: Body) -> None:
        """The citizen was asked, and is satisfied."""
        complaint = self._get(complaint_id)
        complaint.visited(made)
        complaint.close(closed)
        self.save(complaint)

    def facts_of(self, complaint_id: str) -> list[Body] | None:
        """The bodies of the events, in their order; None where it is not closed."""
        originator = UUID(complaint_id)
        if self._get(originator).state != "closed":
            return None
        events: list[Any] = list(self.events.get(originator))
        return [one.body for one in events]

    def _get(self, complaint_id: UUID) -> PeerComplaint:
        complaint: PeerComplaint = self.repository.get(complaint_id)
        return complaint


def settings_of(orders: PeerOrders) -> dict[str, str]:
    """The library's settings for the database in the orders."""
    parts = urlsplit(orders.postgres)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port or 5432),
        "POSTGRES_USER": unquote(parts.username or ""),
        "POSTGRES_PASSWORD": unquote(parts.password or ""),
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_POOL_SIZE": str(orders.at_once),
    }


def main() -> None:
    """Read the orders, live."""
    orders = read_orders()
    app = Hotline(settings_of(orders))

    def live(told: PeerLife) -> None:
        received, classified, dispatched, signed, answered, scheduled, made, closed = told.bodies
        complaint_id = app.receive(received, classified)
        app.dispatch(complaint_id, dispatched)
        app.sign(complaint_id, signed)
        app.answer(complaint_id, answered)
        app.schedule_visit(complaint_id, scheduled)
        app.visited(complaint_id, made, closed)

    try:
        serve(orders, live, app.facts_of)
    finally:
        app.close()


if __name__ == "__main__":
    main()
