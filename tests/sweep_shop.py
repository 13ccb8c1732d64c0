"""A small shop whose tables hang together in every awkward way, in SQL that SQLite, PostgreSQL and MariaDB take, for tests of deletion plans."""

from __future__ import annotations

DIALECTS = ("sqlite", "postgresql", "mysql")
HOSTILE = (
    "a'b", 'q"uote', "back\\slash", "trailing\\", "new\nline", "tab\tand\rreturn", "semi; drop table x; --", "/* no */ -- nor", "æøå ÆØÅ", "snow☃ 🙂",
    "%s :name {x} $1", "$persondata$", "where WHERE `x`", "\u2028\u00a0\u200b", "\\'", "0x41", "null",
)  # fmt: skip
"""Keys that a careless statement would trip over."""
_TABLES = """
create table customers (
    id int primary key, name varchar(80) not null, email varchar(120) not null unique{check_email}, phone varchar(30), street varchar(80),
    status varchar(10) not null{check_status}, closed_on date, friend int{self}, deleted_at varchar(30){self_key});
create table orders (
    order_no varchar(20) primary key, customer_id int not null, ordered_on date not null, note varchar(200),
    foreign key (customer_id) references customers (id));
create table order_lines (
    order_no varchar(20) not null, line int not null, text varchar(80), primary key (order_no, line),
    foreign key (order_no) references orders (order_no) on delete cascade);
create table tickets (
    id int primary key, customer_id int, body varchar(400), deleted_at varchar(30), handled_by varchar(5),
    foreign key (customer_id) references customers (id) on delete set null);
create table notes (code varchar(60) primary key, customer_id int not null, body varchar(200), foreign key (customer_id) references customers (id));
create table visits (email varchar(120), path varchar(60), seen varchar(30));
create table newsletter (email varchar(120) primary key, unsubscribed_on date);
create table campaign_mails (campaign int not null, email varchar(120) not null, opened int, primary key (campaign, email));
create table employees (
    employee_no int primary key, name varchar(80) not null, private_email varchar(120), manager int, left_on date,
    foreign key (manager) references employees (employee_no));
create table payroll (employee_no int not null, period date not null, amount int not null, primary key (employee_no, period),
    foreign key (employee_no) references employees (employee_no));
create table gone (what varchar(80), who varchar(120));
"""
_CIRCLE = {
    "sqlite": """
create table profiles (
    id int primary key, customer_id int not null references customers (id), device int references devices (id) deferrable initially immediate);
create table devices (id int primary key, profile int not null references profiles (id), label varchar(40));
""",
    "server": """
create table profiles (id int primary key, customer_id int not null, device int, foreign key (customer_id) references customers (id));
create table devices (id int primary key, profile int not null, label varchar(40), foreign key (profile) references profiles (id));
alter table profiles add foreign key (device) references devices (id);
""",
}
_TRIGGER = {
    "sqlite": "create trigger customer_gone after delete on customers begin insert into gone values ('customer', old.email); end;",
    "postgresql": (
        "create function note_gone() returns trigger language plpgsql as $$ begin"
        " insert into gone values ('customer', old.email); return old; end $$;"
        " create trigger customer_gone after delete on customers for each row execute function note_gone();"
    ),
    "mysql": "create trigger customer_gone after delete on customers for each row insert into gone values ('customer', old.email);",
}
CUSTOMERS = {
    1: ("Anna Birk", "anna.birk@post.example", "closed", "2026-01-10", 2, None),
    2: ("Bodil Lund", "bodil.lund@post.example", "active", None, 2, None),
    3: ("Carla Vang", "carla.vang@post.example", "closed", "2024-01-10", None, None),
    4: ("Dora Munk", "dora.munk@post.example", "active", None, None, None),
    5: ("Erik Toft", "erik.toft@post.example", "closed", "2023-03-01", 6, "2023-03-02"),
    6: ("Frida Toft", "frida.toft@post.example", "active", None, 5, None),
    7: ("Gerda Holt", "gerda.holt@post.example", "active", None, None, None),
    8: ("Helle Krog", "helle.krog@post.example", "active", None, 8, None),
}
"""Anna has kept orders, Carla is under a hold, Dora took her consent back, Erik and Frida point at each other, Helle at herself."""
EMPLOYEES = {
    21: ("Ivan Storm", "ivan.storm@post.example", None, None),
    22: ("Jonna Bach", "jonna.bach@post.example", 21, "2019-05-31"),
}


def script(dialect: str) -> str:
    """The statements that make the shop and fill it."""
    sqlite = dialect == "sqlite"
    parts = {
        "check_email": " check (email like '%@%')",
        "check_status": " check (status in ('active', 'closed'))",
        "self": " references customers (id)" if sqlite else "",
        "self_key": "" if sqlite else ", foreign key (friend) references customers (id)",
    }
    head = {"mysql": "SET NAMES utf8mb4;\nCREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_danish_ci;\nUSE shop;\n"}.get(
        dialect, ""
    )
    made = head + _TABLES.format(**parts) + _CIRCLE["sqlite" if sqlite else "server"]
    rows = [
        *(("customers", (n, name, email, f"20 30 40 {n:02}", f"Skovvej {n}", status, closed, None, gone)) for n, (name, email, status, closed, _, gone) in CUSTOMERS.items()),
        *(("orders", row) for row in (
            ("A-1", 1, "2025-03-01", "ring først"), ("A-2", 1, "2018-03-01", None), ("C-1", 3, "2025-02-02", None), ("D-1", 4, "2017-02-02", None))),
        *(("order_lines", row) for row in (("A-1", 1, "ramme"), ("A-1", 2, "fragt"), ("A-2", 1, "ramme"), ("C-1", 1, "x"), ("D-1", 1, "y"), ("D-1", 2, "z"))),
        *(("tickets", row) for row in (
            (1, 1, "Anna venter på svar", "2025-04-01", "ist"), (2, 2, "Bodil har spurgt", None, "ist"), (3, 3, "Carla klager", None, None),
            (4, 5, "Erik siger op", None, "ist"))),
        *(("notes", (key, 7, f"note {at}")) for at, key in enumerate(HOSTILE)),
        *(("notes", (f"andres {at}", 2, "om Bodil")) for at in range(3)),
        *(("visits", row) for row in (
            (CUSTOMERS[1][1], "/", "2026-01-01"), (CUSTOMERS[1][1], "/", "2026-01-01"), (CUSTOMERS[1][1], "/pris\\er's", None), (CUSTOMERS[2][1], "/", "2026-01-01"))),
        *(("newsletter", (CUSTOMERS[n][1], "2026-02-03" if n == 4 else None)) for n in (1, 2, 4)),
        *(("campaign_mails", (campaign, CUSTOMERS[n][1], 1)) for n in (1, 2, 4) for campaign in (1, 2)),
        *(("employees", (n, name, email, None, left)) for n, (name, email, _, left) in EMPLOYEES.items()),
        *(("payroll", row) for row in ((21, "2026-01-01", 100), (21, "2018-01-01", 90), (22, "2018-01-01", 90))),
        *(("profiles", row) for row in ((1, 6, None), (2, 2, None))),
        *(("devices", row) for row in ((11, 1, "telefon"), (12, 2, "tavle"))),
    ]  # fmt: skip
    made += "".join(f"insert into {table} values ({', '.join(_value(dialect, one) for one in row)});\n" for table, row in rows)
    made += "".join(f"update customers set friend = {row[4]} where id = {n};\n" for n, row in CUSTOMERS.items() if row[4])
    made += "".join(f"update employees set manager = {row[2]} where employee_no = {n};\n" for n, row in EMPLOYEES.items() if row[2])
    made += "update profiles set device = 11 where id = 1;\nupdate profiles set device = 12 where id = 2;\n"
    return made + _TRIGGER[dialect] + "\n"


def _value(dialect: str, value: object) -> str:
    if value is None or isinstance(value, int):
        return "null" if value is None else str(value)
    text = str(value)
    if dialect == "mysql":
        return f"_utf8mb4 x'{text.encode().hex()}'" if text else "''"
    return "'" + text.replace("'", "''") + "'"


def configuration(url: str, schema: str) -> str:
    """What the shop says of itself. `schema` stands before its tables: `public.`, `shop.` or nothing."""
    return f"""
[controller]
name = "Hobby & Co ApS"
contact = "info@hobby.example"
fiscal_year_end = "12-31"
[[source]]
name = "shop"
url = "{url}"
recipients = ["fragt", "ingen"]
[[recipient]]
name = "fragt"
contact = "gdpr@fragt.example"
receives = ["PERSON", "ADDRESS", "PHONE_NUMBER"]
[[recipient]]
name = "ingen"
receives = ["CREDIT_CARD"]
[[retention]]
name = "customers"
applies_to = ["shop:{schema}customers", "shop:{schema}tickets", "shop:{schema}notes"]
keep = "1 year"
after = "{schema}customers.closed_on"
law = "privacy policy"
[[retention]]
name = "bookkeeping"
applies_to = ["shop:{schema}orders", "shop:{schema}order_lines"]
keep = "5 years"
after = "{schema}orders.ordered_on"
from = "end of financial year"
required = true
law = "bogføringsloven § 12"
[[retention]]
name = "payroll"
applies_to = ["shop:{schema}payroll"]
keep = "5 years"
after = "{schema}payroll.period"
from = "end of financial year"
required = true
law = "bogføringsloven § 12"
[[retention]]
name = "employment"
applies_to = ["shop:{schema}employees"]
keep = "5 years"
after = "{schema}employees.left_on"
required = true
law = "forældelsesloven § 4"
[[consent]]
applies_to = ["shop:{schema}newsletter", "shop:{schema}campaign_mails"]
withdrawn = "{schema}newsletter.unsubscribed_on"
[[hold]]
person = {{ email = "carla.vang@post.example" }}
reason = "claim 2026-7"
law = "GDPR Art. 17(3)(e)"
"""
