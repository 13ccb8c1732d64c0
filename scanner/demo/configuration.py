"""What the made-up company tells the scanner about itself: its sources, its policies and who is told what."""

from __future__ import annotations

import json


def configuration(database_url: str, files: str, mailbox: str, chats: str, *, postgresql: str = "", mariadb: str = "") -> str:
    """What the company would tell the scanner about itself, as `persondata.toml`.

    The systems on servers stand in it as comments where no URL is given: first somebody must load the scripts in `servers`.
    """
    policies = POLICIES_HR * bool(postgresql) + POLICIES_ERP * bool(mariadb)
    servers = _server("hr", postgresql or "postgresql://postgres@localhost/optifo_hr", HR, bool(postgresql))
    servers += _server("erp", mariadb or "mariadb://root@localhost/optifo", ERP, bool(mariadb))
    return f"""\
# Optifo ApS is made up. Relative paths start at the folder of this file.

[controller]
name = "Optifo ApS"
contact = "info@optifo.example"
country = "DK"
fiscal_year_end = "12-31"

[[source]]
name = "crm"
url = {json.dumps(database_url)}
exclude = ["migrations"]
people = "customers"
purpose = "handling orders"
legal_basis = "contract"
recipients = ["stripe", "sendgrid", "aws"]

[[source]]
name = "share"
url = {json.dumps(files)}
people = "customers, employees, applicants"
purpose = "bookkeeping, personnel, support"
legal_basis = "legal obligation"
recipients = ["aws", "remove.bg"]

[[source]]
name = "mail"
url = {json.dumps(mailbox)}
people = "customers, applicants"
purpose = "support"
legal_basis = "legitimate interest"
recipients = ["aws"]

[[source]]
name = "chat"
url = {json.dumps(chats)}
people = "employees, customers"
purpose = "daily work"
legal_basis = "legitimate interest"

{servers}[[recipient]]
name = "stripe"
contact = "privacy@stripe.example"
receives = ["PERSON", "EMAIL_ADDRESS", "ADDRESS", "CREDIT_CARD"]

[[recipient]]
name = "sendgrid"
contact = "privacy@sendgrid.example"
receives = ["PERSON", "EMAIL_ADDRESS"]

[[recipient]]
name = "aws"
contact = "privacy@aws.example"
receives = ["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "ADDRESS", "IP_ADDRESS"]

[[recipient]]
name = "remove.bg"
contact = "privacy@removebg.example"
receives = ["EMAIL_ADDRESS"]

[[retention]]
name = "consumers"
applies_to = ["crm:customers", "crm:tickets", "crm:notes", "crm:sessions", "crm:events", "crm:logins"]
keep = "1 year"
after = "customers.closed_at"
when = "status = 'closed'"
law = "privacy policy, section 6"

[[retention]]
name = "bookkeeping"
applies_to = ["crm:orders", "crm:order_lines", "crm:payments"]
keep = "5 years"
after = "orders.ordered_at"
from = "end of financial year"
required = true
law = "bogføringsloven § 12"

[[retention]]
name = "invoices"
applies_to = ["crm:invoices"]
keep = "5 years"
after = "invoices.issued_on"
from = "end of financial year"
required = true
law = "bogføringsloven § 12"

[[retention]]
name = "vouchers"
applies_to = ["share:Bogføring/*"]
keep = "5 years"
after = "modified"
from = "end of financial year"
required = true
law = "bogføringsloven § 12"

[[retention]]
name = "pay slips"
applies_to = ["share:Personale/*/Lønseddel*", "share:Personale/Lønliste*"]
keep = "5 years"
after = "modified"
from = "end of financial year"
required = true
law = "bogføringsloven § 12"

[[retention]]
name = "applications"
applies_to = ["share:Rekruttering/*"]
keep = "6 months"
after = "modified"
law = "privacy policy, section 8"

[[retention]]
name = "mail"
applies_to = ["mail:*"]
keep = "2 years"
after = "date"
law = "privacy policy, section 7"

[[consent]]
applies_to = ["crm:newsletter", "crm:campaign_recipients"]
withdrawn = "newsletter.unsubscribed_at"

{policies}[[hold]]
person = {{ id = {{ "customers.customer_no" = "10442" }} }}
reason = "legal claim, case 2026-117"
law = "GDPR Art. 17(3)(e)"

[[hold]]
person = {{ id = {{ "customers.customer_no" = "10823" }} }}
reason = "disputed invoice, case 2026-042"
law = "GDPR Art. 17(3)(e)"

[known]
customers = {{ source = "crm", query = "select name, email, customer_no from customers" }}

[requests]
answer_within = "14 days"

[rules]
countries = ["DK"]
languages = ["da", "en"]
"""


def _server(name: str, url: str, said: str, loaded: bool) -> str:
    """A source on a server; a comment says how to fill it where that has not been done."""
    entry = f'[[source]]\nname = "{name}"\nurl = {json.dumps(url)}\n{said}'
    if loaded:
        return f"{entry}\n"
    return "".join(f"# {line}\n" for line in entry.splitlines()) + "\n"


HR = """\
people = "employees, applicants, customers"
purpose = "personnel, booking"
legal_basis = "contract"
# empty database first: createdb optifo_hr; psql -v ON_ERROR_STOP=1 -d optifo_hr -f servers/postgresql.sql
"""
ERP = """\
people = "customers"
purpose = "bookkeeping, support"
legal_basis = "legal obligation"
# mariadb < servers/mariadb.sql
"""
POLICIES_HR = """\
[[retention]]
name = "employment"
applies_to = ["hr:public.employees", "hr:public.contracts", "share:Personale/*/Ansættelsesaftale*"]
keep = "5 years"
after = "public.employees.left_on"
required = true
law = "forældelsesloven § 4"

[[retention]]
name = "payroll"
applies_to = ["hr:public.payroll_lines"]
keep = "5 years"
after = "public.payroll_lines.period"
from = "end of financial year"
required = true
law = "bogføringsloven § 12"

[[retention]]
name = "absence"
applies_to = ["hr:public.absences"]
keep = "1 year"
after = "public.absences.to_on"
law = "personnel policy, section 3"

[[retention]]
name = "applicants"
applies_to = ["hr:public.applicants", "hr:public.applicant_notes"]
keep = "6 months"
after = "public.applicants.decided_on"
law = "privacy policy, section 8"

[[retention]]
name = "bookings"
applies_to = ["hr:studio.bookings", "hr:studio.guests"]
keep = "1 year"
after = "studio.bookings.starts_at"
law = "privacy policy, section 6"

"""
POLICIES_ERP = """\
[[retention]]
name = "old customers"
applies_to = ["erp:optifo.kunder", "erp:optifo.sager", "erp:optifo.sagsnotater"]
keep = "1 year"
after = "optifo.kunder.lukket"
law = "privacy policy, section 6"

[[retention]]
name = "old bookkeeping"
applies_to = ["erp:optifo.fakturaer", "erp:optifo.fakturalinjer", "erp:optifo.finansposter"]
keep = "5 years"
after = "optifo.fakturaer.dato"
from = "end of financial year"
required = true
law = "bogføringsloven § 12"

[[consent]]
applies_to = ["erp:optifo.nyhedsbrev_profil"]
withdrawn = "crm:newsletter.unsubscribed_at"

"""
