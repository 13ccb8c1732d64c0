"""Mail as a company has it: one CPR number in each place of a mail, found there; archives, Outlook's files and IMAP servers."""

from __future__ import annotations

import base64
import binascii
import datetime
import imaplib
import io
import ipaddress
import os
import quopri
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import EmailMessage, MIMEPart
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from scanner.contract import SourceContract, problems, texts
from scanner.detect.engine import Detector
from scanner.errors import SourceError
from scanner.model import Problem, Source, Unit, Why
from scanner.sources import open_source
from scanner.sources.imap import Address
from tests.outlook_files import Item, pst, tnef
from tests.test_extract import Reading, read, zipped

CPR = "070761-4285"
HEAD = b"From: Ib Hansen <ib@x.dk>\r\nTo: bo@x.dk\r\nSubject: Hej\r\nMessage-ID: <1@x.dk>\r\nMIME-Version: 1.0\r\n"


def mail_of(*parts: EmailMessage | MIMEPart, kind: str = "mixed", **headers: str) -> bytes:
    mail = EmailMessage()
    for name, value in ({"From": "ib@x.dk", "To": "bo@x.dk", "Subject": "Hej", "Message-ID": "<1@x.dk>"} | headers).items():
        mail[name] = value
    if parts:
        getattr(mail, f"make_{kind}")()
        for part in parts:
            mail.attach(part)
    else:
        mail.set_content("Hej")
    return mail.as_bytes()


def part_of(text: str, subtype: str = "plain", **options: Any) -> MIMEPart:
    part = MIMEPart()
    part.set_content(text, subtype=subtype, **options)
    return part


def file_of(data: bytes, name: str, kind: str = "application/octet-stream", **options: Any) -> MIMEPart:
    part = MIMEPart()
    main, _, sub = kind.partition("/")
    part.set_content(data, maintype=main, subtype=sub, disposition="attachment", filename=name, **options)
    return part


def raw(kind: str, body: bytes, encoding: str = "8bit") -> bytes:
    return HEAD + f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body


def forwarded() -> bytes:
    part = MIMEPart()
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "aase@x.dk", "Inderst"
    inner.set_content(f"Min kollegas CPR er {CPR}")
    part.set_content(inner)
    return mail_of(part_of("Se her"), part)


def uuencoded(data: bytes) -> bytes:
    lines = (binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))
    return b"begin 644 liste.txt\n" + b"".join(lines) + b"`\nend\n"


CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Møder\r\nBEGIN:VEVENT\r\nUID:7@x.dk\r\nSUMMARY:Samtale\r\n"
    'ORGANIZER;CN="Åse Berg":mailto:aase@x.dk\r\n'
    f'ATTENDEE;ROLE=REQ-PARTICIPANT;CN="Ib Hansen, CPR {CPR[:4]}\r\n {CPR[4:]}":mailto:ib@x.dk\r\n'
    "DESCRIPTION:Linje et\\nlinje to\\, og tre\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
).encode()
CARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Hansen;Ib;Bo;Dr.;\r\nFN:Ib Hansen\r\nADR;TYPE=HOME:;;Vestergade 7;Ribe;;6760;DK\r\n"
    f"NOTE:Ring til mig\\, CPR {CPR[:8]}\r\n {CPR[8:]}\\;\r\nitem1.TEL;TYPE=CELL:20304050\r\nEND:VCARD\r\n"
).encode()
OLD_CARD = b"BEGIN:VCARD\r\nVERSION:2.1\r\nNOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Bl=E5b=E6r=\r\n, CPR 0707=\r\n61-4285\r\nEND:VCARD\r\n"
LETTER = Item(
    {0x1A: "IPM.Note", 0x37: "Hej", 0x1000: f"Mit CPR er {CPR}", 0x1035: "<1@x.dk>", 0x0C1A: "Ib Hansen"},
    [{0x3001: "Bo Berg", 0x39FE: "bo@x.dk", 0x0C15: 2}],
)
PARCEL = Item({0x1A: "IPM.Note", 0x37: "Hej", 0x1035: "<1@x.dk>"}, [], [("cv.txt", f"Ib Hansen, CPR {CPR}".encode())])
FORWARDED = Item({0x1A: "IPM.Note", 0x37: "Hej"}, [], [("Inderst", LETTER)])

PLACES: dict[str, tuple[str, bytes, str]] = {
    "from": ("a.eml", mail_of(From=f'"Ib CPR {CPR}" <ib@x.dk>'), "from"),
    "unknown header": ("a.eml", mail_of(**{"X-Kunde": f"Ib, CPR {CPR}"}), "header"),
    "subject RFC 2047": ("a.eml", HEAD.replace(b"Hej", b"=?utf-8?Q?S=C3=B8ren_CPR_0707?=\r\n =?utf-8?B?NjEtNDI4NQ==?=") + b"\r\nhej", "subject"),
    "html alternative only": ("a.eml", mail_of(part_of("Hej"), part_of(f"<p>CPR <b>0707</b>61-4285 {'x' * 9}</p>", "html"), kind="alternative"), "body"),
    "quoted-printable html latin-1": (
        "a.eml", raw("text/html; charset=iso-8859-1", quopri.encodestring(f"<p>Kære Søren, CPR {CPR}".encode("latin-1")), "quoted-printable"), "body"),
    "utf-8 that is latin-1": ("a.eml", raw("text/plain; charset=utf-8", f"Kære Søren, CPR {CPR}".encode("latin-1")), "body"),
    "unknown charset": ("a.eml", raw("text/plain; charset=x-findes-ikke", f"Søren, CPR {CPR}".encode()), "body"),
    "utf-16 that is ascii": ("a.eml", raw("text/plain; charset=utf-16", f"Ib, CPR {CPR}.".encode()), "body"),
    "utf-7": ("a.eml", raw("text/plain; charset=utf-7", f"Søren, CPR {CPR}".encode("utf-7")), "body"),
    "gb2312": ("a.eml", raw("text/plain; charset=gb2312", f"\u674e\u9555, CPR {CPR}".encode("gb18030")), "body"),
    "base64 that is text": ("a.eml", raw("text/plain", f"Ib Hansens CPR er {CPR}\r\n".encode(), "base64"), "body"),
    "footer after base64": ("a.eml", raw("text/plain", base64.encodebytes(b"Hej Bo") + f"\r\nCPR: {CPR}\r\n".encode(), "base64"), "body"),
    "wrong boundary": (
        "a.eml", HEAD + f"Content-Type: multipart/mixed; boundary=a\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nCPR {CPR}\r\n--b--\r\n".encode(), "body"),
    "before the parts": ("a.eml", mail_of(part_of("Hej")).replace(b"\n\n--", f"\n\nCPR {CPR}\n\n--".encode(), 1), "body"),
    "description of a part": ("a.eml", mail_of(part_of("Hej", headers=[f"Content-Description: CPR {CPR}"])), "header"),
    "attachment name RFC 2231": ("a.eml", mail_of(file_of(b"hej", f"Sørens CPR {CPR}.txt")), f"attachment=Sørens CPR {CPR}.txt/filename"),
    "the other name": ("a.eml", mail_of(file_of(b"hej", "a.txt", params={"name": f"CPR {CPR}.txt"})), "header"),
    "attachment": ("a.eml", mail_of(file_of(f"CPR: {CPR}".encode(), "a.txt")), "attachment=a.txt"),
    "attachment of an attachment": ("a.eml", mail_of(file_of(mail_of(file_of(f"CPR: {CPR}".encode(), "b.txt")), "a.eml")), "attachment=a.eml/attachment=b.txt"),
    "forwarded": ("a.eml", forwarded(), "attachment=message.eml/body"),
    "forwarded in base64": (
        "a.eml", raw("message/rfc822", base64.encodebytes(f"Subject: x\r\n\r\nCPR {CPR}".encode()), "base64"), "attachment=message.eml/body"),
    "delivery report": ("a.eml", raw("message/delivery-status", f"Final-Recipient: rfc822; ib@x.dk\r\nDiagnostic-Code: CPR {CPR}\r\n".encode()), "body"),
    "utf-16 csv in a zip": ("a.eml", mail_of(file_of(zipped({"k.csv": f"navn;cpr\nIb;{CPR}\n".encode("utf-16")}), "a.zip")), "attachment=a.zip!k.csv/cpr"),
    "name in a zip": ("a.eml", mail_of(file_of(zipped({f"CPR {CPR}.txt": "x"}), "a.zip")), f"attachment=a.zip!CPR {CPR}.txt/filename"),
    "uuencoded": ("a.eml", raw("text/plain", b"Se her:\n\n" + uuencoded(f"Ib Hansens CPR er {CPR}, og Bo har et andet nummer".encode())), "attachment=liste.txt"),
    "ics": ("a.ics", CALENDAR, "attendee"),
    "ics in a mail": ("a.eml", raw("text/calendar; method=REQUEST", CALENDAR), "attachment=part.ics/attendee"),
    "vcf": ("a.vcf", CARD, "note"),
    "vcf 2.1": ("a.vcf", OLD_CARD, "note"),
    "vcf in a mail": ("a.eml", mail_of(file_of(CARD, "ib.vcf", "text/vcard")), "attachment=ib.vcf/note"),
    "picture of a card": ("a.vcf", CARD.replace(b"NOTE:", b"KEY;ENCODING=b:" + base64.b64encode(f"CPR {CPR}".encode()) + b"\r\nX:"), ""),
    "tnef body": ("winmail.dat", tnef(LETTER), "body"),
    "tnef attachment": ("a.eml", mail_of(file_of(tnef(PARCEL), "winmail.dat", "application/ms-tnef")), "attachment=winmail.dat/attachment=cv.txt"),
    "tnef message inside": ("winmail.dat", tnef(FORWARDED), "attachment=Inderst.msg/body"),
    "pst body": ("a.pst", pst({"Indbakke": [LETTER]}), "body"),
    "pst attachment": ("a.pst", pst({"Indbakke": [PARCEL]}), "attachment=cv.txt"),
    "pst recipient": ("a.pst", pst({"Indbakke": [Item({0x1A: "IPM.Note", 0x37: "x"}, [{0x3001: f"Bo CPR {CPR}", 0x0C15: 2}])]}), "cc"),
    "maildir": ("ib/Maildir/cur/1700000000.M1P2.vært:2,S", f"Return-Path: <ib@x.dk>\n\nCPR {CPR}\n".encode(), "body"),
    "emlx": ("1.emlx", b"%d\n" % len(raw("text/plain", f"CPR {CPR}".encode())) + raw("text/plain", f"CPR {CPR}".encode()) + b"<?xml version='1.0'?>", "body"),
    "mbox cut off": (
        "inbox", b"From a Thu Nov  2 10:00:00 2017\nFrom: a@x.dk\nSubject: x\n\nbrat slut\n"
        b"From b@x.dk Thu Nov  2 10:00:00 2017\nFrom: b@x.dk\nContent-Transfer-Encoding: base64\n\n" + base64.b64encode(f"Bos CPR er {CPR}".encode()), "body"),
}  # fmt: skip


def found_in(reading: Reading, detector: Detector) -> set[str]:
    """The fields in which the detector sees a CPR number."""
    return {row["field"] for row in detector.detect(reading.batches, judge_columns=False).findings.to_pylist() if row["entity"] == "DK_CPR"}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_planted_is_found(place: str, detector: Detector) -> None:
    name, data, field = PLACES[place]
    reading = read(data, name)
    assert field in found_in(reading, detector), ([t[2:] for t in reading.texts], reading.problems)
    assert not reading.problems


def test_charsets_that_lie_keep_their_letters() -> None:
    for charset, codec in (("utf-8", "cp1252"), ("iso-8859-1", "utf-8"), ("iso-8859-1", "cp1252"), ("utf-7", "utf-8"), ("ukendt", "utf-8")):
        assert read(raw(f"text/plain; charset={charset}", "Kære Åse – €".encode(codec)), "a.eml").at("message=<1@x.dk>", "body") == [
            "Kære Åse – €"
        ]


def test_calendars_and_cards_have_records() -> None:
    found = read(CALENDAR, "a.ics")
    assert found.opened[0].kind == "calendar"
    assert found.at("event=7@x.dk", "organizer") == ["Åse Berg aase@x.dk"]
    assert found.at("event=7@x.dk", "description") == ["Linje et\nlinje to, og tre"]
    assert found.at("", "x-wr-calname") == ["Møder"]
    cards = read(CARD.replace(b"Ib Hansen", b"Bo") + CARD, "a.vcf")
    assert cards.at("contact=2", "n") == ["Dr. Ib Bo Hansen"]
    assert cards.at("contact=1", "adr") == ["Vestergade 7, 6760 Ribe, DK"]
    assert cards.at("contact=2", "tel") == ["20304050"]
    folded = b"BEGIN:VCARD\r\nFN:S" + "ø".encode()[:1] + b"\r\n " + "ø".encode()[1:] + b"ren\r\nEND:VCARD\r\n"
    assert read(folded, "a.vcf").at("contact=1", "fn") == ["Søren"]
    assert read(CARD.decode().encode("utf-16"), "a.vcf").at("contact=1", "fn") == ["Ib Hansen"]


def test_a_message_is_called_the_same_in_every_archive() -> None:
    eml = raw("text/plain", b"Hej")
    mbox = b"From ib Thu Nov  2 10:00:00 2017\n" + eml
    for data, name in ((eml, "a.eml"), (mbox, "inbox"), (pst({"Indbakke": [LETTER]}), "a.pst"), (tnef(LETTER), "winmail.dat")):
        assert {record for _, record, *_ in read(data, name).texts} == {"message=<1@x.dk>"}


def test_a_pst_has_a_mailbox_for_each_folder() -> None:
    found = read(pst({"Indbakke": [LETTER, PARCEL], "Sendt": [FORWARDED] * 20}), "a.pst")
    assert [one.object for one in found.opened] == ["a.pst", "a.pst!Indbakke", "a.pst!Sendt"]
    assert found.at("message=<1@x.dk>", "from") == ["Ib Hansen"]
    assert found.at("message=<1@x.dk>", "cc") == ["Bo Berg bo@x.dk"]
    assert [(p.object, p.why) for p in found.problems] == [("a.pst!Sendt", Why.UNSUPPORTED)] * 20
    cut = read(pst({"Indbakke": [LETTER]})[:20_000], "a.pst")
    assert [p.why for p in cut.problems] == [Why.DAMAGED]


@pytest.mark.skipif(shutil.which("readpst") is None, reason="pst-utils is not installed")
def test_the_pst_of_these_tests_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.pst").write_bytes(pst({"Indbakke": [LETTER, PARCEL]}))
    subprocess.run(["readpst", "-q", "-o", str(tmp_path), str(tmp_path / "a.pst")], check=True)
    mails = (tmp_path / "Indbakke.mbox").read_text()
    assert CPR in mails and 'filename="cv.txt"' in mails


def test_the_winmail_of_these_tests_is_one() -> None:
    parsed = pytest.importorskip("tnefparse").TNEF(tnef(PARCEL), do_checksum=True)
    assert [(a.long_filename(), a.data) for a in parsed.attachments] == [("cv.txt", f"Ib Hansen, CPR {CPR}".encode())]
    broken = read(tnef(LETTER)[:-9], "winmail.dat")
    assert broken.field("body") and [p.why for p in broken.problems] == [Why.DAMAGED]


@pytest.fixture(scope="module")
def identity() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ib Hansen")])
    names = [x509.RFC822Name("ib@x.dk"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - datetime.timedelta(1), now + datetime.timedelta(9)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName(names), False).add_extension(x509.BasicConstraints(True, None), True)
    return key, builder.sign(key, hashes.SHA256())


def test_signed_mail_is_read(identity: tuple[rsa.RSAPrivateKey, x509.Certificate], detector: Detector) -> None:
    key, certificate = identity
    builder = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(f"Content-Type: text/plain\r\n\r\nCPR {CPR}".encode())
        .add_signer(certificate, key, hashes.SHA256())
    )
    opaque = builder.sign(serialization.Encoding.DER, [])
    found = read(mail_of(file_of(opaque, "smime.p7m", "application/pkcs7-mime")), "a.eml")
    assert "attachment=smime.p7m!content.eml/body" in found_in(found, detector) and not found.problems
    assert found.at("message=<1@x.dk>", "attachment=smime.p7m/certificate") == ["Ib Hansen, ib@x.dk"]
    detached = builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])
    assert read(detached, "smime.p7s").field("certificate") == "Ib Hansen, ib@x.dk"
    assert not read(detached, "smime.p7s").problems
    assert {p.why for cut in range(40, len(opaque), 97) for p in read(opaque[:cut], "smime.p7m").problems} == {Why.DAMAGED}


def test_encrypted_parts_are_said(identity: tuple[rsa.RSAPrivateKey, x509.Certificate]) -> None:
    sealed = pkcs7.PKCS7EnvelopeBuilder().set_data(b"hemmeligt").add_recipient(identity[1]).encrypt(serialization.Encoding.DER, [])
    armour = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"
    for data in (
        mail_of(file_of(sealed, "smime.p7m", "application/pkcs7-mime")),
        mail_of(file_of(armour, "encrypted.asc")),
        raw("text/plain", b"Hej\n" + armour),
        mail_of(file_of(b"\x85\x01\x0c\x03" + bytes(range(200)), "brev.gpg")),
    ):
        (problem,) = read(data, "a.eml").problems
        assert (problem.object, problem.record, problem.why) == ("a.eml", "message=<1@x.dk>", Why.ENCRYPTED)
        assert problem.field


# --- IMAP ---------------------------------------------------------------------------------------------------------

SECRET = "hemmeligt-ord"


def dovecot_of(home: Path, identity: tuple[rsa.RSAPrivateKey, x509.Certificate]) -> Iterator[tuple[int, int, Path]]:
    """Dovecot with one login: the port of IMAP, that of IMAP over TLS, and the folder of the mails."""
    key, certificate = identity
    (home / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (home / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    maildir = home / "mail"
    for folder, names in {"": ("new", "cur"), ".Projekter": ("cur",), ".Projekter.Børn &- fritid": ("cur",), ".Tom": ("cur",)}.items():
        raw_name = folder.replace("Børn &- fritid", "B&APg-rn &- fritid")
        for part in ("cur", "new", "tmp"):
            (maildir / raw_name / part).mkdir(parents=True, exist_ok=True)
        for number, part in enumerate(names):
            body = raw("text/plain", f"Ib i {folder}: CPR {CPR}".encode()).replace(b"<1@x.dk>", f"<{number}@x.dk>".encode())
            ending = ":2,F" if part == "cur" else ""
            if folder != ".Tom":
                (maildir / raw_name / part / f"170000000{number}.M1P{number}.x{ending}").write_bytes(body)
    (maildir / "cur" / "1700000009.M1P9.x:2,").write_bytes(b"From: ib@x.dk\r\nSubject: uden id\r\n\r\nHej")
    owner = "nobody" if os.geteuid() == 0 else Path.home().owner()
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "nobody", str(maildir)], check=True)
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], two.getsockname()[1]
    inner = "" if os.geteuid() == 0 else f"default_internal_user = {owner}\ndefault_login_user = {owner}\n"
    chroot = "chroot =\n" if inner else ""
    (home / "dovecot.conf").write_text(f"""
protocols = imap
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
{inner}first_valid_uid = 1
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
mail_location = maildir:{maildir}:INDEX=MEMORY
mail_uid = {owner}
passdb {{
  driver = static
  args = password={SECRET}
}}
userdb {{
  driver = static
  args = uid={owner} gid={"nogroup" if os.geteuid() == 0 else os.getgid()} home={home}
}}
service imap-login {{
  {chroot}inet_listener imap {{
    address = 127.0.0.1
    port = {ports[0]}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {ports[1]}
    ssl = yes
  }}
}}
namespace inbox {{
  inbox = yes
  separator = .
}}
""")
    server = subprocess.Popen([shutil.which("dovecot") or "", "-F", "-c", str(home / "dovecot.conf")])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", ports[0])):
                    break
            time.sleep(0.05)
        yield *ports, maildir
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def dovecot(identity: tuple[rsa.RSAPrivateKey, x509.Certificate]) -> Iterator[tuple[int, int, Path]]:
    if shutil.which("dovecot") is None:
        pytest.skip("Dovecot is not installed")
    pytest.importorskip("imapclient")
    with tempfile.TemporaryDirectory(prefix="imap", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield from dovecot_of(Path(folder), identity)


class TestImap(SourceContract):
    @pytest.fixture
    def source(self, dovecot: tuple[int, int, Path]) -> Source:
        return open_source(f"imaps://ib:{SECRET}@127.0.0.1:{dovecot[1]}/?cafile={dovecot[2].parent}/cert.pem")

    @pytest.fixture
    def footprint(self, dovecot: tuple[int, int, Path]) -> Callable[[], object]:
        def look() -> object:
            with imaplib.IMAP4("127.0.0.1", dovecot[0]) as client:
                client.login("ib", SECRET)
                flags = []
                for folder in ("INBOX", "Projekter"):
                    client.select(folder, readonly=True)
                    flags.append([line.replace(b"\\Recent", b"").split() for line in client.fetch("1:*", "(UID FLAGS)")[1]])
            # \Recent, and the move from new/ to cur/, depend on which session the server takes for the first one, not on who reads.
            return flags, mails()

        def mails() -> object:
            """The files, once none of them is being moved."""
            for _ in range(50):
                seen = sorted(path for path in dovecot[2].rglob("*") if path.parent.name in ("cur", "new"))
                with suppress(FileNotFoundError):
                    found = {path.name.partition(":")[0]: (path.name.partition(":2,")[2], path.read_bytes()) for path in seen}
                    if seen == sorted(path for path in dovecot[2].rglob("*") if path.parent.name in ("cur", "new")):
                        return found
                time.sleep(0.1)
            raise AssertionError("the server does not come to rest")

        return look

    def test_mailboxes_are_objects_and_mails_are_records(self, source: Source) -> None:
        found = texts(source)
        assert found["INBOX", "message=<0@x.dk>", "body"] == [f"Ib i : CPR {CPR}"]
        assert found["Projekter/Børn & fritid", "message=<0@x.dk>", "body"] == [f"Ib i .Projekter.Børn &- fritid: CPR {CPR}"]
        (bare,) = {record for object, record, field in found if object == "INBOX" and "@" not in record}
        assert bare.removeprefix("message=").isdigit()
        assert [unit.object for unit in source.units() if isinstance(unit, Unit)] == [
            "INBOX",
            "Projekter",
            "Projekter/Børn & fritid",
            "Tom",
        ]
        assert not problems(source)

    def test_only_what_changed_has_a_new_fingerprint(self, source: Source, dovecot: tuple[int, int, Path]) -> None:
        before = {unit.object: unit for unit in source.units() if isinstance(unit, Unit)}
        with imaplib.IMAP4("127.0.0.1", dovecot[0]) as client:
            client.login("ib", SECRET)
            client.append("Tom", "", None, raw("text/plain", b"ny"))  # type: ignore[arg-type]
            client.select("INBOX")
            client.store("1", "+FLAGS", "\\Answered")
            client.store("1", "-FLAGS", "\\Answered")
        after = {unit.object: unit for unit in source.units() if isinstance(unit, Unit)}
        assert [name for name in before if before[name].fingerprint != after[name].fingerprint] == ["Tom"]
        assert before["INBOX"].size > 0

    def test_a_folder_of_the_url_and_encryption(self, dovecot: tuple[int, int, Path]) -> None:
        imap, imaps, mails = dovecot
        start = open_source(f"imap://ib@127.0.0.1:{imap}/Projekter?cafile={mails.parent}/cert.pem", password=SECRET)
        assert {unit.object for unit in start.units() if isinstance(unit, Unit)} == {"Projekter", "Projekter/Børn & fritid"}
        assert texts(open_source(f"imap://ib:{SECRET}@127.0.0.1:{imap}/Tom?tls=off")) is not None
        for url, says in {
            f"imaps://ib:{SECRET}@127.0.0.1:{imaps}": "encryption",
            f"imap://ib:{SECRET}@127.0.0.1:{imap}": "encryption",
            f"imaps://ib:forkert-{SECRET}@127.0.0.1:{imaps}?cafile={mails.parent}/cert.pem": "login",
            f"imap://ib:{SECRET}@127.0.0.1:{imap}/Findes ikke?tls=off": "no such mailbox",
            f"imap://ib:{SECRET}@127.0.0.1:1?tls=off": "no server",
        }.items():
            with pytest.raises(SourceError, match=says) as caught:
                list(open_source(url).units())
            assert SECRET not in str(caught.value)

    def test_a_mailbox_that_is_gone_is_said(self, source: Source) -> None:
        unit = next(unit for unit in source.units() if isinstance(unit, Unit))
        (problem,) = source.read(unit._replace(object="Væk", locator='"Vaek"'))
        assert isinstance(problem, Problem) and problem.object == "Væk"


@pytest.mark.parametrize("url", ["imap://", "imap://x.dk", "imap://ib@x.dk?tls=maybe", "imaps://ib@x.dk:x/", "imaps://ib@x.dk?andet=1"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(SourceError):
        open_source(url)


def test_an_address_hides_its_password() -> None:
    address = Address.parse("imaps://ib%40x.dk:hemme%23ligt@mail.x.dk/INBOX")
    assert (address.user, address.host, address.port, address.folder) == ("ib@x.dk", "mail.x.dk", 993, "INBOX")
    assert "hemme" not in address.shown + repr(address)


def test_a_huge_mbox_is_streamed() -> None:
    class Endless(io.RawIOBase):
        """An mbox of 64 MB that is nowhere."""

        one = b"From a@x.dk Thu Nov  2 10:00:00 2017\nFrom: a@x.dk\nSubject: x\n\n" + b"Hej Bo\n" * 30_000 + b"\n"
        size, at = 64 * 2**20, 0

        def seekable(self) -> bool:
            return True

        def seek(self, to: int, whence: int = 0) -> int:
            self.at = to
            return to

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.size - self.at)
            start = self.at % len(self.one)
            self.at += size
            return (self.one * (size // len(self.one) + 2))[start : start + size]

    import tracemalloc

    from scanner.extract import mail

    most = 0
    tracemalloc.start()
    for _, _ in mail._split(Endless(), 64 * 2**20):  # type: ignore[arg-type]
        most = max(most, tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert most < 32 * 2**20
