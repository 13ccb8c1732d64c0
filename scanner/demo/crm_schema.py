"""The tables of the shop's database: some with declared keys, some whose keys only their names tell."""

SCHEMA = """
create table staff (initials text primary key, name text not null, email text not null);
create table customers (
    customer_no integer primary key, name text not null, company text, cvr text, email text not null unique, phone text,
    street text, postcode text, city text, status text not null check (status in ('active', 'closed')),
    created_at text not null, closed_at text, comment text, deleted_at text);
create table contacts (
    id integer primary key, customer_no integer not null references customers on delete cascade, name text not null, email text,
    phone text, title text);
create table products (sku text primary key, name text not null, ean text, price_dkk numeric not null);
create table orders (
    order_no text primary key, customer_no integer not null references customers, ordered_at text not null,
    delivery_address text, note text);
create table order_lines (
    order_no text not null references orders on delete cascade, line integer not null,
    sku text not null references products, quantity integer not null, primary key (order_no, line));
create table payments (
    id integer primary key, order_no text not null references orders, stripe_id text not null, card_brand text,
    card_last4 text, iban text, amount_dkk numeric not null, paid_at integer not null);
create table invoices (
    invoice_no text primary key, order_no text references orders, customer_no integer, issued_on text not null,
    name text not null, address text, total_dkk numeric not null);
create table newsletter (
    email text primary key, first_name text, subscribed_at text not null, unsubscribed_at text, cookie text);
create table campaigns (id integer primary key, name text not null, sent_on text not null, created_by text not null);
create table campaign_recipients (
    campaign_id integer not null references campaigns, email text not null, opened_at text, primary key (campaign_id, email));
create table tickets (
    id integer primary key, customer_no integer references customers, opened_at text not null, subject text,
    message text not null, internal_note text, handled_by text references staff, deleted_at text);
create table notes (id integer primary key, kunde_id integer, noteret text not null, oprettet_af text, tekst text not null);
create table sessions (
    id text primary key, customer_no integer references customers, ip text not null, user_agent text, cookie_id text,
    started_at text not null);
create table events (id integer primary key, session text not null, at text not null, kind text not null, path text);
create table page_views (cookie text not null, at text not null, path text not null);
create table logins (username text primary key, customer_no integer, last_login text);
create table reviews (id integer primary key, username text not null, sku text not null, stars integer, text text, written_at text);
create table audit_log (
    id integer primary key, at text not null, handled_by text not null, customer_no integer, action text not null, detail text);
create table migrations (version text primary key, checksum text not null, applied_at integer not null);
create index orders_customer on orders (customer_no);
create view open_customers as select customer_no, name, email from customers where status = 'active';
"""
TRIGGER = """
create trigger customer_gone after delete on customers begin
    insert into audit_log (at, handled_by, customer_no, action, detail)
    values (datetime('now'), 'system', old.customer_no, 'deleted', old.email);
end;
"""
COLUMNS = {
    "staff": "initials* name email",
    "customers": "customer_no* name company cvr email phone street postcode city status created_at closed_at comment deleted_at",
    "contacts": "id* customer_no name email phone title",
    "products": "sku* name ean price_dkk",
    "orders": "order_no* customer_no ordered_at delivery_address note",
    "order_lines": "order_no* line* sku quantity",
    "payments": "id* order_no stripe_id card_brand card_last4 iban amount_dkk paid_at",
    "invoices": "invoice_no* order_no customer_no issued_on name address total_dkk",
    "newsletter": "email* first_name subscribed_at unsubscribed_at cookie",
    "campaigns": "id* name sent_on created_by",
    "campaign_recipients": "campaign_id* email* opened_at",
    "tickets": "id* customer_no opened_at subject message internal_note handled_by deleted_at",
    "notes": "id* kunde_id noteret oprettet_af tekst",
    "sessions": "id* customer_no ip user_agent cookie_id started_at",
    "events": "id* session at kind path",
    "page_views": "cookie at path",
    "logins": "username* customer_no last_login",
    "reviews": "id* username sku stars text written_at",
    "audit_log": "id* at handled_by customer_no action detail",
    "migrations": "version* checksum applied_at",
}
PRODUCTS = (
    ("FRI-1", "Fritlægning, enkelt billede", "5712345000012", 12),
    ("FRI-50", "Fritlægning, pakke med 50", "5712345000029", 450),
    ("RET-1", "Retouchering, portræt", "5712345000036", 95),
    ("SKY-1", "Skygge under vare", "5712345000043", 8),
    ("FRV-1", "Farvekorrektion", "5712345000050", 15),
    ("API-1", "API-adgang, 1.000 kald", "5712345000067", 299),
    ("RAM-7", "Rammen Sofie Hald, eg", "5712345000074", 349),
    ("RAM-8", "Rammen Mette, hvid", "5712345000081", 199),
)
