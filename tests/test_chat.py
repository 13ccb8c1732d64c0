"""Chats of Slack, Teams, WhatsApp, Telegram and Signal: each message is a record with its sender, and names stand for ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scanner.contract import texts
from scanner.errors import SourceError
from scanner.model import Shape, Why
from scanner.sources import open_source
from tests.test_extract import read, zipped

CPR = "070761-4285"
USERS = [
    {"id": "U01AB", "name": "mette", "profile": {"real_name": "Mette Lund", "email": "mette@firma.example"}},
    {"id": "U02CD", "name": "jens", "real_name": "Jens Bak", "profile": {"display_name": "jb"}},
]
CHANNELS = [{"id": "C01", "name": "drift", "creator": "U01AB", "members": ["U01AB", "U02CD"], "topic": {"value": "Spørg <@U02CD>"}}]
DAY: list[dict[str, Any]] = [
    {
        "client_msg_id": "c0ffee", "type": "message", "user": "U01AB", "ts": "1712345678.123456", "thread_ts": "1712345678.123456",
        "text": f"<@U02CD> ring til <mailto:ole@x.dk|ole@x.dk> om {CPR} &amp; <https://x.example/sag|sagen> i <#C01|drift>",
        "edited": {"user": "U02CD", "ts": "1712345700.000000"},
        "reactions": [{"name": "eyes", "users": ["U02CD"], "count": 1}],
        "replies": [{"user": "U02CD", "ts": "1712345679.000100"}],
    },
    {"type": "message", "user": "U02CD", "ts": "1712345679.000100", "thread_ts": "1712345678.123456", "parent_user_id": "U01AB", "text": "ok"},
    {
        "type": "message", "user": "U02CD", "ts": "1712345680.000200", "text": "", "upload": True,
        "files": [{"id": "F1", "name": "Jens CV.pdf", "title": "CV for Jens", "url_private": "https://files.example/F1/jens_cv.pdf", "user": "U02CD"}],
    },
    {
        "type": "message", "subtype": "bot_message", "ts": "1712345681.000300", "bot_id": "B01", "username": "Kundebot", "text": "",
        "attachments": [{"fallback": "Ny kunde: Ole Dam", "text": "Ny kunde: Ole Dam", "fields": [{"title": "Tlf", "value": "20304050"}]}],
    },
    {"type": "message", "user": "U09ZZ", "ts": "1712345682.000400", "text": "hej", "user_profile": {"real_name": "Gæst Holm"}},
    {
        "type": "message", "user": "U01AB", "ts": "1712345683.000500", "text": "",
        "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
            {"type": "text", "text": "spørg "}, {"type": "user", "user_id": "U02CD"}]}]}],
    },
    {
        "type": "message", "subtype": "message_changed", "ts": "1712345684.000600", "message": {"user": "U01AB", "text": "nyt", "ts": "1712345600.0"},
        "previous_message": {"user": "U01AB", "text": "gammelt hemmeligt", "ts": "1712345600.0"},
    },
]  # fmt: skip
FIRST = "ts=1712345678.123456"


def slack(folder: str = "") -> bytes:
    return zipped({
        f"{folder}users.json": json.dumps(USERS), f"{folder}channels.json": json.dumps(CHANNELS, indent=2),
        f"{folder}dms.json": json.dumps([{"id": "D01", "created": 1, "members": ["U01AB", "U02CD"]}]),
        f"{folder}drift/2024-04-05.json": json.dumps(DAY, indent=4), f"{folder}D01/2024-04-06.json": json.dumps(DAY[:1]),
        f"{folder}drift/brev.txt": "Kære Ole",
    })  # fmt: skip


# --- Slack --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["", "Optifo Slack export/"])
def test_slack_export_as_a_zip(folder: str) -> None:
    found = read(slack(folder), "export.zip")
    day = f"export.zip!{folder}drift/2024-04-05.json"
    assert {o.object: o.kind for o in found.opened}[day] == "slack" and found.opened[0].kind == "slack export"
    said = {(record, field): text for object, record, field, text in found.texts if object == day}
    assert said[FIRST, "sender"] == "Mette Lund" and said[FIRST, "time"] == "2024-04-05 19:34:38"
    assert said[FIRST, "text"] == f"@Jens Bak ring til ole@x.dk om {CPR} & sagen (https://x.example/sag) i #drift"
    assert said[FIRST, "edited by"] == "Jens Bak" and said[FIRST, "reaction"] == "Jens Bak"
    assert said["ts=1712345679.000100", "reply to"] == "Mette Lund"
    assert {t for _, r, f, t in found.texts if (r, f) == ("ts=1712345680.000200", "file")} == {
        "Jens CV.pdf", "CV for Jens", "https://files.example/F1/jens_cv.pdf"}  # fmt: skip
    bot = "ts=1712345681.000300"
    assert said[bot, "sender"] == "Kundebot" and said[bot, "attachment.text"] == "Ny kunde: Ole Dam"
    assert said[bot, "attachment.fields.value"] == "20304050" and (bot, "attachment.fallback") not in said
    assert said["ts=1712345682.000400", "sender"] == "Gæst Holm"
    assert said["ts=1712345683.000500", "text"] == "spørg @Jens Bak"
    assert said["ts=1712345684.000600", "previous message: text"] == "gammelt hemmeligt"
    private = {(r, f): t for o, r, f, t in found.texts if o.endswith("D01/2024-04-06.json")}
    assert private[FIRST, "sender"] == "Mette Lund"
    assert found.at("channel=D01", "member") == ["Mette Lund", "Jens Bak"]
    assert found.at("channel=C01", "creator") == ["Mette Lund"] and found.at("channel=C01", "topic") == ["Spørg @Jens Bak"]
    assert "mette@firma.example" in found.field("profile.email") and "Kære Ole" in found.field("")
    assert found.problems == []


def test_columns_of_messages_share_their_records() -> None:
    batches = [b for b in read(json.dumps(DAY), "2024-04-05.json").batches if b.shape is Shape.CELL]
    assert len(batches) > 2 and all(b.records is batches[0].records for b in batches)
    assert {b.field for b in read(json.dumps(DAY), "x.json").batches if b.shape is Shape.PROSE} >= {"text", "file", "reaction"}


def test_slack_day_alone_and_beside_its_users(tmp_path: Path) -> None:
    alone = read(json.dumps(DAY), "noget.json")
    assert alone.opened[0].kind == "slack"
    assert alone.at(FIRST, "sender") == ["U01AB"] and alone.at("ts=1712345682.000400", "sender") == ["Gæst Holm"]
    for name, content in (("users.json", USERS), ("drift/2024-04-05.json", DAY), ("channels.json", CHANNELS)):
        (tmp_path / "share" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "share" / name).write_text(json.dumps(content))
    found = texts(open_source(str(tmp_path / "share")))
    assert found["drift/2024-04-05.json", FIRST, "sender"] == ["Mette Lund"]
    assert found["channels.json", "channel=C01", "member"] == ["Mette Lund", "Jens Bak"]


def test_the_slack_prefix_names_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "export.zip").write_bytes(slack())
    monkeypatch.chdir(tmp_path)
    for url in (f"slack:{tmp_path}/export.zip", "slack:export.zip", f"slack://{tmp_path}/export.zip"):
        assert texts(open_source(url))["export.zip!drift/2024-04-05.json", FIRST, "sender"] == ["Mette Lund"]
    with pytest.raises(SourceError):
        open_source("slack:findes-ikke.zip")


def test_broken_slack_json_is_read_as_far_and_as_text() -> None:
    data = json.dumps(DAY)
    found = read(data[: len(data) - 300], "2024-04-05.json")
    assert found.at(FIRST, "sender") == ["U01AB"]
    assert found.why == [("2024-04-05.json", Why.DAMAGED)] and "rich_text" in found.field("")


def test_other_json_stays_json() -> None:
    assert read('[{"ts": "2024", "type": "message", "user": "x"}]', "a.json").opened[0].kind == "json"
    assert read('{"conversations": [], "x": 1}', "a.json").opened[0].kind == "json"
    assert read('{"name": "Ole", "messages": [1, 2]}', "a.json").opened[0].kind == "json"


def test_memory_does_not_grow_with_a_day() -> None:
    data = json.dumps([{**DAY[0], "ts": f"{1712345678 + n}.000000", "text": "lang besked " * 80} for n in range(12_000)])
    found = read(data, "2024-04-05.json")
    assert len(found.at("ts=1712357677.000000", "text")) == 1
    assert max(b.texts.nbytes for b in found.batches) < 16 * 2**20 and len(found.batches) > 6


# --- WhatsApp and Signal ------------------------------------------------------------------------------------------

ANDROID = f"""12.03.2024 09.10 - Beskeder og opkald er krypteret fra ende til anden.
12.03.2024 09.14 - Mette Lund: Hej Jens, kan du ringe til Ole?
Hans nummer er {CPR}

og han bor i Ribe: det er langt
12.03.2024 09.15 - +45 20 30 40 50: IMG-20240312-WA0001.jpg (fil vedhæftet)
et billede af Ole
12.03.2024 09.16 - Jens Bak: <Media udeladt>
12.03.2024 09.17 - Mette Lund tilføjede Ole Dam
"""
IOS = """[12/03/2024, 09.14.22] Mette Lund: Hej Jens
anden linje
\u200e[12/03/2024, 09.15.01] Jens Bak: \u200e<vedhæftet: 00000012-PHOTO-2024-03-12.jpg>
[12/03/2024, 09.16.40] Jens Bak: farvel
"""


def test_whatsapp_of_android() -> None:
    found = read(ANDROID, "WhatsApp-chat med Mette.txt")
    assert found.opened[0].kind == "chat"
    assert found.at("line=2", "sender") == ["Mette Lund"] and found.at("line=2", "time") == ["12.03.2024 09.14"]
    assert found.at("line=2", "text") == [f"Hej Jens, kan du ringe til Ole?\nHans nummer er {CPR}\n\nog han bor i Ribe: det er langt"]
    assert found.at("line=6", "sender") == ["+45 20 30 40 50"] and found.at("line=6", "file") == ["IMG-20240312-WA0001.jpg"]
    assert found.at("line=6", "text") == ["et billede af Ole"]
    assert found.at("line=8", "file") == ["Media udeladt"] and found.at("line=9", "system") == ["Mette Lund tilføjede Ole Dam"]
    assert found.at("line=1", "system")[0].startswith("Beskeder og opkald")


@pytest.mark.parametrize(
    ("line", "sender", "time"),
    [
        ("12.03.2024, 09:14 - {}: {}", "Åse Dam", "12.03.2024 09:14"),
        ("3/12/24, 9:14\u202fAM - {}: {}", "Ole", "3/12/24 9:14\u202fAM"),
        ("[12.03.2024 kl. 09.14.22] {}: {}", "Ole Dam", "12.03.2024 09.14.22"),
        ("[2024-03-12, 09:14:22] {}: {}", "Me", "2024-03-12 09:14:22"),
        ("\u200e[3/12/24, 9:14:22 PM] ~ {}: {}", "Ole", "3/12/24 9:14:22 PM"),
    ],
)
def test_dates_of_other_phones(line: str, sender: str, time: str) -> None:
    found = read("\r\n".join([line.format(sender, "hej: du"), line.format("Jens", "selv hej"), "mere", ""]), "_chat.txt")
    assert found.at("line=1", "sender")[0].removeprefix("~ ") == sender
    assert found.at("line=1", "time") == [time] and found.at("line=1", "text") == ["hej: du"]
    assert found.at("line=2", "text") == ["selv hej\nmere"]


def test_whatsapp_of_ios() -> None:
    found = read(zipped({"_chat.txt": IOS, "00000012-PHOTO-2024-03-12.txt": "vedhæftet brev"}), "chat.zip")
    assert found.at("line=1", "text") == ["Hej Jens\nanden linje"]
    assert found.at("line=3", "file") == ["00000012-PHOTO-2024-03-12.jpg"] and found.at("line=4", "text") == ["farvel"]
    assert "vedhæftet brev" in found.field("")


def test_logs_and_letters_are_no_chats() -> None:
    log = "[2024-03-12 09:14:22] production.ERROR: x\n[2024-03-12 09:14:23] INFO: y\n"
    assert read(log, "laravel.txt").opened[0].kind == "txt"
    assert read("[12/03/2024, 09:14:22] WARN: x\n[12/03/2024, 09:14:23] ERROR: y\n", "a.txt").opened[0].kind == "txt"
    assert read("12.03.2024 var vi i Ribe.\n13.03.2024 tog vi hjem: det var godt.\n", "a.txt").opened[0].kind == "txt"


def test_signal_export_in_markdown_and_json_lines() -> None:
    markdown = "[2024-03-12 09:14:22] Mette Lund: \n\n> hvad sagde Ole\n\nHej med jer  \n(- Jens Bak: 👍, Ole: ❤ -)\n![img.jpg](./media/img.jpg)  \n"
    markdown += "[2024-03-12 09:15:22] Me: farvel  \n"
    found = read(markdown, "chat.md")
    assert (
        found.opened[0].kind == "chat"
        and "Hej med jer" in found.at("line=1", "text")[0]
        and "> hvad sagde Ole" in found.at("line=1", "text")[0]
    )
    assert found.at("line=1", "file") == ["img.jpg"] and found.at("line=1", "reaction") == ["Jens Bak: 👍, Ole: ❤"]
    entry = {"date": "2024-03-12T09:14:22", "sender": "Mette Lund", "body": "Hej  ", "quote": "", "sticker": None,
             "reactions": [["Jens Bak", "👍"]], "attachments": [{"name": "img.jpg", "path": "media/img.jpg"}]}  # fmt: skip
    found = read(json.dumps(entry) + "\n" + json.dumps(entry | {"body": "igen"}) + "\n{brudt\n", "data.json")
    assert found.at("line=1", "sender") == ["Mette Lund"] and found.at("line=2", "text") == ["igen"]
    assert "Jens Bak" in found.at("line=1", "reaction") and found.at("line=1", "file") == ["img.jpg"]
    assert found.at("line=3", "") == ["{brudt"] and found.why == [("data.json", Why.DAMAGED)]
    envelope = {"envelope": {"source": "+4520304050", "sourceNumber": "+4520304050", "sourceName": "Ole Dam", "timestamp": 1712345678123,
                             "dataMessage": {"timestamp": 1712345678123, "message": "ring"}}, "account": "+4540506070"}  # fmt: skip
    found = read("\n".join([json.dumps(envelope)] * 2), "signal.jsonl")
    assert found.at("line=2", "sender") == ["Ole Dam"] and found.at("line=1", "time") == ["2024-04-05 19:34:38"]
    assert found.at("line=1", "text") == ["ring"] and found.at("line=1", "account") == ["+4540506070"]


# --- Telegram -----------------------------------------------------------------------------------------------------

CHAT: dict[str, Any] = {
    "name": "Ole Dam", "type": "personal_chat", "id": 4711,
    "messages": [
        {"id": 1, "type": "message", "date": "2024-03-12T09:14:00", "date_unixtime": "1710231240", "from": "Ole Dam", "from_id": "user99",
         "text": ["ring til ", {"type": "phone", "text": "20304050"}, {"type": "text_link", "text": " her", "href": "https://x.example"}],
         "text_entities": [{"type": "plain", "text": "ring til "}]},
        {"id": 2, "type": "service", "date": "2024-03-12T09:15:00", "actor": "Mette Lund", "actor_id": "user1", "action": "invite_members",
         "members": ["Jens Bak"], "text": ""},
        {"id": 3, "type": "message", "date": "2024-03-12T09:16:00", "from": "Mette Lund", "from_id": "user1", "forwarded_from": "Åse Dam", "text": "se",
         "file": "files/cv.pdf", "file_name": "Jens cv.pdf", "contact_information": {"first_name": "Jens", "last_name": "Bak", "phone_number": "+4530405060"}},
    ],
}  # fmt: skip


def test_telegram_of_one_chat_and_of_all() -> None:
    whole = {"about": "…", "personal_information": {"first_name": "Mette", "phone_number": "+45 11 22 33 44"},
             "contacts": {"about": "…", "list": [{"first_name": "Jens", "phone_number": "+4530405060"}]},
             "chats": {"about": "…", "list": [CHAT, CHAT | {"id": 4712, "name": "Familien"}]}}  # fmt: skip
    one = read(json.dumps(CHAT, indent=1), "result.json")
    assert one.opened[0].kind == "telegram"
    assert one.at("chat=4711", "chat") == ["Ole Dam"] and one.at("message=1", "text") == ["ring til 20304050 her (https://x.example)"]
    assert one.at("message=2", "sender") == ["Mette Lund"] and one.at("message=2", "member") == ["Jens Bak"]
    assert one.at("message=3", "forwarded from") == ["Åse Dam"] and one.at("message=3", "contact phone") == ["+4530405060"]
    assert "Jens cv.pdf" in one.at("message=3", "file")
    all_of_it = read(json.dumps(whole), "result.json")
    assert all_of_it.at("chat=4712,message=1", "sender") == ["Ole Dam"] and all_of_it.at("chat=4712", "chat") == ["Familien"]
    assert all_of_it.at("chat=4711,message=3", "sender") == ["Mette Lund"]
    assert all_of_it.at("item=1", "contacts.list.phone_number") == ["+4530405060"]
    assert "+45 11 22 33 44" in all_of_it.field("personal_information.phone_number")


def test_telegram_as_web_pages() -> None:
    page = """<!DOCTYPE html><html><head><meta charset="utf-8"/><title>Exported Data</title></head><body><div class="page_wrap">
    <div class="page_header"><div class="content"><div class="text bold">Ole Dam</div></div></div><div class="page_body chat_page">
    <div class="history">
     <div class="message service" id="message-1"><div class="body details">12 March 2024</div></div>
     <div class="message default clearfix" id="message1"><div class="pull_left userpic_wrap"><div class="userpic"><div class="initials">OD</div></div></div>
      <div class="body"><div class="pull_right date details" title="12.03.2024 09:14:00 UTC+01:00">09:14</div>
      <div class="from_name">Ole Dam </div><div class="text">ring til <a href="tel:20304050">20304050</a><br>i aften</div></div></div>
     <div class="message default clearfix joined" id="message2"><div class="body">
      <div class="pull_right date details" title="12.03.2024 09:15:00 UTC+01:00">09:15</div>
      <div class="media_wrap clearfix"><a class="media clearfix pull_left" href="files/cv.pdf"><div class="body"><div class="title bold">cv.pdf</div>
      <div class="status details">12 KB</div></div></a></div></div></div>
    </div></div></div></body></html>"""
    found = read(page, "messages.html")
    assert found.opened[0].kind == "telegram-html"
    assert found.at("message=1", "sender") == ["Ole Dam"] and found.at("message=1", "time") == ["12.03.2024 09:14:00 UTC+01:00"]
    assert found.at("message=1", "text") == ["ring til 20304050\ni aften"]
    assert found.at("message=2", "sender") == ["Ole Dam"] and "files/cv.pdf" in found.at("message=2", "file")
    assert found.at("", "text")[0].startswith("Exported Data") or "Ole Dam" in "".join(found.at("", "text"))


# --- Teams --------------------------------------------------------------------------------------------------------


def test_teams_personal_export() -> None:
    export = {"userId": "8:live:mette", "exportDate": "2024-03-12T09:14", "conversations": [
        {"id": "19:abc@thread.v2", "displayName": "Drift", "version": 1, "properties": {"x": None}, "threadProperties": {"topic": "Sager om Ole"},
         "MessageList": [
            {"id": "1710231240123", "displayName": "Jens Bak", "originalarrivaltime": "2024-03-12T08:14:22.123Z", "messagetype": "RichText/Html",
             "version": 1, "content": f"<p>Hej <b>Ole</b> &amp; co</p><p>{CPR}</p>", "conversationid": "19:abc", "from": "8:live:jens", "properties": None},
            {"id": "2", "displayName": None, "originalarrivaltime": "2024-03-12T08:15:22Z", "messagetype": "Text", "content": "ok", "from": "8:live:mette"}]}]}  # fmt: skip
    found = read(json.dumps(export), "messages.json")
    record = "chat=19:abc@thread.v2,message=1710231240123"
    assert found.opened[0].kind == "teams" and found.at(record, "sender") == ["Jens Bak"]
    assert found.at(record, "text") == [f"Hej Ole & co\n{CPR}"] and found.at(record, "time") == ["2024-03-12T08:14:22.123Z"]
    assert found.at("chat=19:abc@thread.v2,message=2", "sender") == ["8:live:mette"]
    assert "Sager om Ole" in found.field("threadProperties.topic")


def test_teams_messages_of_the_export_api() -> None:
    message = {"id": "16", "messageType": "message", "createdDateTime": "2024-03-12T08:14:22Z", "chatId": "19:x", "subject": "Sagen",
               "from": {"user": {"id": "u1", "displayName": "Jens Bak"}}, "body": {"contentType": "html", "content": '<p>Hej <at id="0">Ole</at></p>'},
               "attachments": [{"name": "Ole cv.docx", "contentUrl": "https://x.example/cv.docx"}], "mentions": [{"mentionText": "Ole Dam"}],
               "reactions": [{"reactionType": "like", "user": {"user": {"displayName": "Åse"}}}]}  # fmt: skip
    reply = message | {"id": "17", "body": {"contentType": "text", "content": "svar"}, "from": {"application": {"displayName": "Flow"}}}
    found = read(json.dumps({"@odata.context": "x", "value": [message | {"replies": [reply]}]}), "teams.json")
    assert found.at("chat=19:x,message=16", "sender") == ["Jens Bak"] and found.at("chat=19:x,message=16", "text") == ["Hej Ole"]
    assert found.at("chat=19:x,message=16", "mention") == ["Ole Dam"] and found.at("chat=19:x,message=16", "subject") == ["Sagen"]
    assert "Ole cv.docx" in found.at("chat=19:x,message=16", "file") and found.at("chat=19:x,message=16", "reaction") == ["Åse"]
    assert found.at("chat=19:x,message=17", "sender") == ["Flow"] and found.at("chat=19:x,message=17", "text") == ["svar"]
