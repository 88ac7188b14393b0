"""The lists of the same HubSpot account as HubSpot itself exports them."""

from __future__ import annotations

from typing import Any

from presets.hubspot import LABELS
from presets.world import Activity, Deal, Tables, build_deals, time_text

WON, LOST = "Gewonnen", "Verloren"
CLOSED = {"won": WON, "lost": LOST}
ENTERED = {label: f'Date entered "{label} (Vertrieb)"' for label in (*LABELS, WON, LOST)}
Row = dict[str, Any]


class Lists(Tables):
    """The rows of the exported lists."""

    def __init__(self, count: int) -> None:
        super().__init__()
        for deal in build_deals(count):
            self._add_deal(deal)
        self._add_odd()

    def add_deal(self, record_id: str, stage: str, **more: object) -> None:
        """A deal in a stage."""
        row: Row = {
            "Record ID": record_id,
            "Deal Name": f"Deal {record_id}",
            "Deal Stage": stage,
            "Pipeline": "Vertrieb",
            "Create Date": "2024-02-01 09:00",
            "Is Deal Closed?": str(stage in CLOSED.values()).lower(),
            "Is Closed Won": str(stage == WON).lower(),
        }
        self.add("deals", **(row | more))

    def _add_deal(self, deal: Deal) -> None:
        entered = {ENTERED[LABELS[place]]: time_text(at) for at, place in deal.entries}
        stage = CLOSED[deal.outcome] if deal.outcome else LABELS[deal.entries[-1][1]]
        if deal.closed:
            entered[ENTERED[stage]] = time_text(deal.closed)
        person = f"3{deal.number}"
        self.add_deal(
            f"19{deal.number:06}",
            stage,
            **{
                "Create Date": time_text(deal.created),
                "Close Date": time_text(deal.closed) if deal.closed else deal.expected_close(),
                "Amount": f"{deal.amounts[-1][1]},00 €",
                "Deal owner": f"Rep {deal.owner}",
                "Associated Contact IDs": f"{person};777",
            },
            **entered,
        )
        title = ("CFO", "Einkauf", "")[deal.number % 3]
        self.add("contacts", **{"Record ID": person, "Job Title": title})
        for place, activity in enumerate(deal.activities):
            self._add_activity(deal, activity, f"8{deal.number:05}{place:03}")

    def _add_activity(self, deal: Deal, activity: Activity, record_id: str) -> None:
        row: Row = {
            "Record ID": record_id,
            "Activity date": time_text(activity.at),
            "Associated Contact IDs": f"3{deal.number}",
        }
        if not activity.by_person:
            row["Associated Deal IDs"] = f"19{deal.number:06}"
        if activity.kind == "call":
            row["Call duration"] = activity.seconds * 1000
        self.add(f"{activity.kind}s", **row)

    def _add_odd(self) -> None:
        skipped = {ENTERED[label]: "2024-03-01 10:00" for label in (LABELS[1], LABELS[2], WON)}
        companies = {"Associated Company IDs": "502; 501"}
        self.add_deal(
            "skips", WON, **skipped, **companies, **{ENTERED[LABELS[0]]: "2024-02-01 09:00"}
        )
        company = {"Primary Associated Company ID": "501", "Associated Company IDs": "400;501"}
        self.add_deal("dated", LOST, **company, **{"Close Date": "2024-03-05 10:00"})
        self.add_deal("open", LABELS[0], **{"Close Date": "2024-03-31 10:00"})
        deals = {"Associated Deal IDs": "open; skips"}
        self.add("calls", **{"Record ID": "c1", "Activity date": "2024-02-10 10:00"}, **deals)
        long = {"Call duration": "0:05:10", "Call direction": "Inbound"}
        self.add(
            "calls", **{"Record ID": "c2", "Activity date": "2024-02-11 10:00"}, **deals, **long
        )
        missed = {"Call outcome": "Left voicemail"}
        self.add(
            "calls", **{"Record ID": "c3", "Activity date": "2024-02-12 10:00"}, **deals, **missed
        )
        cancelled = {"Meeting outcome": "Canceled", "Start Time": "2024-02-14 10:00"}
        booked = {"Object create date/time": "2024-02-09 10:00"}
        self.add("meetings", **{"Record ID": "m1"}, **deals, **cancelled, **booked)
        for number, status in enumerate(("Not started", "Completed")):
            done = {"Completed at": "2024-02-13 10:00"} if number else {}
            self.add(
                "tasks",
                **{"Record ID": f"t{number}", "Due date": "2024-02-20 10:00"},
                **{"Task Status": status},
                **deals,
                **done,
            )
