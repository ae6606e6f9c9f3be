"""What a client must be able to do, over requests and responses in JSON's form.

A client has `call(service, method, token, request)`, which raises `Refused`, and
`stream(service, method, token, request)`, which yields responses. Each scenario prints its name
when it has passed.
"""

import os

USER, SYS = "postroom.v1.Messaging", "postroom.sys.v1.Sys"
LISTENERS = {USER: os.environ["USER_ADDRESS"], SYS: os.environ["SYS_ADDRESS"]}
ALICE, BOB, APP = (os.environ[f"{name}_TOKEN"] for name in ["ALICE", "BOB", "APP"])
EMPTY = [
    {"name": "inbox", "total": 0, "unread": 0},
    {"name": "sent", "total": 0, "unread": 0},
]
# Above what a double can hold exactly.
LARGE = str(2**53 + 1)


class Refused(Exception):
    """The code of a status, and its details by their type."""

    def __init__(self, code, details):
        super().__init__(code, details)
        self.code = code
        self.details = details


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def refused(client, *call):
    try:
        client.call(*call)
    except Refused as error:
        return error
    raise AssertionError(f"{call} is not refused")


def empty_boxes(client):
    counts = client.call(USER, "GetMessageCounts", BOB, {})
    equal(counts["boxes"], EMPTY)
    equal(client.call(USER, "GetMessageBoxes", BOB, {})["boxes"], EMPTY)
    frames = client.stream(USER, "Subscribe", BOB, {})
    equal(next(frames)["event"]["counts"]["boxes"], EMPTY)
    equal(next(frames)["event"]["caughtUp"], {})
    frames.close()


def messages(client):
    content = {"json": {"text": "hello", "n": [1, None]}}
    sent = client.call(USER, "SendMessage", ALICE, {"to": ["bob"], "content": content})
    notice = {"to": ["bob"], "text": "welcome", "sender": {"name": "The game"}}
    notified = client.call(SYS, "SendMessageSimple", APP, notice)
    ids = [notified["messageId"], sent["messageId"]]

    context = {"searchCriteria": {"msgbox": "inbox"}}
    page = client.call(USER, "GetMessagesPage", BOB, {"context": context})["results"]
    equal([item["messageId"] for item in page["items"]], ids)
    equal(page["items"][0]["message"]["sender"]["name"], "The game")
    equal(page["items"][1]["message"]["content"], content)
    equal(page["items"][1]["message"]["recipientCount"], 1)

    named = {"msgbox": "inbox", "messageIds": ids}
    both = {"requested": 2, "actual": 2}
    equal(client.call(USER, "MarkMessagesRead", BOB, named), both)
    equal(client.call(USER, "DeleteMessages", BOB, named), both)
    equal(client.call(USER, "GetMessageCounts", BOB, {})["boxes"], EMPTY)


def errors(client):
    error = refused(client, USER, "SendMessageSimple", ALICE, {"to": ["b\nb"]})
    equal(error.code, "INVALID_ARGUMENT")
    info = error.details["ErrorInfo"]
    equal((info["reason"], info["domain"]), ("INVALID_REQUEST", "postroom"))
    violations = error.details["BadRequest"]["fieldViolations"]
    equal([violation["field"] for violation in violations], ["to[0]", "text"])


def large_numbers(client):
    sent = client.call(USER, "SendMessageSimple", ALICE, {"to": ["bob"], "text": "hi"})
    context = {"pagination": {"doCount": True}}
    page = client.call(USER, "GetMessagesPage", BOB, {"context": context})["results"]
    equal((page["count"], page["items"][0]["message"]["version"]), ("1", "1"))
    update = {
        "messageId": sent["messageId"],
        "content": {"json": "new"},
        "expectedVersion": LARGE,
    }
    error = refused(client, SYS, "UpdateMessage", APP, update)
    equal(error.code, "ABORTED")
    versions = {"expected_version": LARGE, "current_version": "1"}
    equal(error.details["ErrorInfo"]["metadata"], versions)


def live_messages(client):
    frames = client.stream(USER, "Subscribe", BOB, {})
    while "caughtUp" not in next(frames)["event"]:
        pass
    sent = client.call(USER, "SendMessageSimple", ALICE, {"to": ["bob"], "text": "live"})
    event = next(frames)["event"]
    equal(event["messageReceived"]["messageId"], sent["messageId"])
    assert event["cursor"]
    frames.close()


def run(client):
    for scenario in [empty_boxes, messages, errors, large_numbers, live_messages]:
        scenario(client)
        print(scenario.__name__.replace("_", " "), flush=True)
