"""Names and words that the exports of the sample company use; they say nothing about a lead's class."""

from __future__ import annotations

TITLES: dict[str, tuple[str, ...]] = {  # level -> job titles
    "chief": (
        "CEO",
        "C.E.O.",
        "Geschäftsführer",
        "Managing Director",
        "Owner",
        "Founder & CEO",
        "CFO",
        "COO",
        "PDG",
    ),
    "director": (
        "VP Operations",
        "V.P. Sales",
        "Head of Logistics",
        "head of it",
        "Director of Procurement",
        "Bereichsleiter Einkauf",
        "IT Director",
        "Directeur des achats",
    ),
    "manager": (
        "Procurement Manager",
        "Plant Manager",
        "IT-Manager",
        "Teamleiter",
        "Project Manager",
        "Mgr. Supply Chain",
        "Manager, Warehousing",
        "office manager",
    ),
    "specialist": (
        "Buyer",
        "Sachbearbeiter",
        "Business Analyst",
        "Engineer",
        "Software Developer",
        "Assistant",
        "Controller",
        "Quality Specialist",
    ),
    "learner": (
        "Student",
        "Intern",
        "Werkstudent",
        "Trainee",
        "PhD student",
        "looking for a job",
    ),
    "missing": ("",),
}

# A company's name is one of each.
COMPANY_STARTS = (
    "Nord",
    "Alpha",
    "Delta",
    "Rhein",
    "Blue",
    "Prime",
    "Terra",
    "Nova",
    "Inter",
    "Uni",
    "Stern",
    "Vita",
)
COMPANY_ENDS = (
    "tec",
    "log",
    "werk",
    "trade",
    "med",
    "soft",
    "form",
    "plast",
    "metal",
    "food",
    "bau",
    "net",
)
LEGAL_FORMS = ("GmbH", "AG", "Ltd", "AB", "BV", "SA", "Group", "& Co")

TERRITORIES: dict[str, tuple[str, ...]] = {  # team -> countries
    "DACH": ("DE", "AT", "CH"),
    "North": ("SE", "DK", "NO", "FI"),
    "West": ("NL", "BE", "FR"),
    "Isles": ("GB", "IE"),
}
REPS = (  # team by team
    "Anke Brandt",
    "Jonas Keller",
    "Miriam Vogt",
    "Tim Huber",
    "Ingrid Solberg",
    "Mikkel Holm",
    "Aino Laine",
    "Sanne de Wit",
    "Luc Moreau",
    "Claire Dubois",
    "Owen Hughes",
    "Niamh Byrne",
)
REP_IDS = tuple(f"R{i:02d}" for i in range(1, len(REPS) + 1))
REPS_A_TEAM = len(REPS) // len(TERRITORIES)
CAPACITIES = (12, 10, 8)  # of the reps of each team

BY_REP = ("email_sent", "call_attempt", "call", "meeting")  # activities that a rep does
SECONDS = {"call": (60, 1500), "meeting": (1200, 5400)}  # shortest and longest
LOST_REASONS = ("no budget", "competitor", "no decision", "no answer", "too early")
