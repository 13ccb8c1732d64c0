"""What the made-up company tells the scanner about itself: its sources, its policies and who is told what."""

from __future__ import annotations

import json


def configuration(database_url: str, files: str, mailbox: str, chats: str) -> str:
    """What the company would tell the scanner about itself, as `persondata.toml`."""
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

[[recipient]]
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
applies_to = ["crm:customers", "crm:tickets", "crm:sessions"]
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

[[consent]]
applies_to = ["crm:newsletter"]
withdrawn = "newsletter.unsubscribed_at"

[[hold]]
person = {{ id = {{ "customers.customer_no" = "10442" }} }}
reason = "legal claim, case 2026-117"
law = "GDPR Art. 17(3)(e)"

[known]
customers = {{ source = "crm", query = "select name, email, customer_no from customers" }}

[requests]
answer_within = "14 days"

[rules]
countries = ["DK"]
languages = ["da", "en"]
"""
