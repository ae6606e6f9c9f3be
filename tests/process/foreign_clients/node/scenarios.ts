// What a client must be able to do, over requests and responses in JSON's form. Each scenario
// prints its name when it has passed. The same as `scenarios.py`.

import { deepStrictEqual as equal, ok, rejects } from "node:assert/strict";
import { env } from "node:process";

export type Json = { [name: string]: any };
export type Details = { ErrorInfo?: Json; BadRequest?: Json };

export interface Client {
  call(service: string, method: string, token: string, request: Json): Promise<Json>;
  stream(service: string, method: string, token: string, request: Json): AsyncIterator<Json>;
}

/** The code of a status, and its details by their type. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly details: Details,
  ) {
    super(code);
  }
}

const USER = "postroom.v1.Messaging";
const SYS = "postroom.sys.v1.Sys";
export const LISTENERS: { [service: string]: string } = {
  [USER]: env.USER_ADDRESS ?? "",
  [SYS]: env.SYS_ADDRESS ?? "",
};
const { ALICE_TOKEN: ALICE = "", BOB_TOKEN: BOB = "", APP_TOKEN: APP = "" } = env;
const EMPTY = [
  { name: "inbox", total: 0, unread: 0 },
  { name: "sent", total: 0, unread: 0 },
];
// Above what a double can hold exactly.
const LARGE = (2n ** 53n + 1n).toString();

async function refused(call: Promise<Json>, code: string): Promise<Details> {
  let details: Details = {};
  await rejects(call, (error) => {
    ok(error instanceof Refused, `${error}`);
    equal(error.code, code);
    details = error.details;
    return true;
  });
  return details;
}

async function event(frames: AsyncIterator<Json>): Promise<Json> {
  const { value, done } = await frames.next();
  ok(!done);
  return value.event;
}

async function emptyBoxes(client: Client) {
  const counts = await client.call(USER, "GetMessageCounts", BOB, {});
  equal(counts.boxes, EMPTY);
  const boxes = await client.call(USER, "GetMessageBoxes", BOB, {});
  equal(boxes.boxes, EMPTY);
  const frames = client.stream(USER, "Subscribe", BOB, {});
  equal((await event(frames)).counts.boxes, EMPTY);
  equal((await event(frames)).caughtUp, {});
  await frames.return?.();
}

async function messages(client: Client) {
  const content = { json: { text: "hello", n: [1, null] } };
  const sent = await client.call(USER, "SendMessage", ALICE, { to: ["bob"], content });
  const notice = { to: ["bob"], text: "welcome", sender: { name: "The game" } };
  const notified = await client.call(SYS, "SendMessageSimple", APP, notice);
  const messageIds = [notified.messageId, sent.messageId];

  const context = { searchCriteria: { msgbox: "inbox" } };
  const page = await client.call(USER, "GetMessagesPage", BOB, { context });
  const [first, second] = page.results.items;
  equal([first.messageId, second.messageId], messageIds);
  equal(first.message.sender.name, "The game");
  equal(second.message.content, content);
  equal(second.message.recipientCount, 1);

  const named = { msgbox: "inbox", messageIds };
  const both = { requested: 2, actual: 2 };
  equal(await client.call(USER, "MarkMessagesRead", BOB, named), both);
  equal(await client.call(USER, "DeleteMessages", BOB, named), both);
  equal((await client.call(USER, "GetMessageCounts", BOB, {})).boxes, EMPTY);
}

async function errors(client: Client) {
  const call = client.call(USER, "SendMessageSimple", ALICE, { to: ["b\nb"] });
  const { ErrorInfo: info, BadRequest: bad } = await refused(call, "INVALID_ARGUMENT");
  equal([info?.reason, info?.domain], ["INVALID_REQUEST", "postroom"]);
  const fields = bad?.fieldViolations.map((violation: Json) => violation.field);
  equal(fields, ["to[0]", "text"]);
}

async function largeNumbers(client: Client) {
  const sent = await client.call(USER, "SendMessageSimple", ALICE, { to: ["bob"], text: "hi" });
  const context = { pagination: { doCount: true } };
  const { results } = await client.call(USER, "GetMessagesPage", BOB, { context });
  equal([results.count, results.items[0].message.version], ["1", "1"]);
  const update = {
    messageId: sent.messageId,
    content: { json: "new" },
    expectedVersion: LARGE,
  };
  const details = await refused(client.call(SYS, "UpdateMessage", APP, update), "ABORTED");
  const versions = { expected_version: LARGE, current_version: "1" };
  equal({ ...details.ErrorInfo?.metadata }, versions);
}

async function liveMessages(client: Client) {
  const frames = client.stream(USER, "Subscribe", BOB, {});
  while (!("caughtUp" in (await event(frames))));
  const sent = await client.call(USER, "SendMessageSimple", ALICE, { to: ["bob"], text: "live" });
  const live = await event(frames);
  equal(live.messageReceived.messageId, sent.messageId);
  ok(live.cursor);
  await frames.return?.();
}

export async function run(client: Client) {
  const scenarios: [string, (client: Client) => Promise<void>][] = [
    ["empty boxes", emptyBoxes],
    ["messages", messages],
    ["errors", errors],
    ["large numbers", largeNumbers],
    ["live messages", liveMessages],
  ];
  for (const [name, scenario] of scenarios) {
    await scenario(client);
    console.log(name);
  }
}
