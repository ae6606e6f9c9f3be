// `@grpc/grpc-js`, with the protos loaded by `@grpc/proto-loader`.

import { env } from "node:process";

import * as grpc from "@grpc/grpc-js";
import * as loader from "@grpc/proto-loader";

import { type Client, type Details, type Json, LISTENERS, Refused, run } from "./scenarios.js";

const FILES = [
  "postroom/v1/messaging.proto",
  "postroom/sys/v1/sys.proto",
  "google/rpc/status.proto",
  "google/rpc/error_details.proto",
];
const definitions = loader.loadSync(FILES, {
  includeDirs: (env.PROTO_ROOTS ?? "").split(":"),
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});
const DETAILS = ["ErrorInfo", "BadRequest"] as const;

function decode(type: string, bytes: Buffer): Json {
  const definition = definitions[type] as loader.MessageTypeDefinition<object, object>;
  return definition.deserialize(bytes);
}

/** A JSON value as `google.protobuf.Value`, which proto-loader does not know. */
function toValue(json: unknown): Json {
  if (json === null) return { nullValue: "NULL_VALUE" };
  if (typeof json === "string") return { stringValue: json };
  if (typeof json === "number") return { numberValue: json };
  if (typeof json === "boolean") return { boolValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(toValue) } };
  const fields = Object.entries(json as Json).map(([name, value]) => [name, toValue(value)]);
  return { structValue: { fields: Object.fromEntries(fields) } };
}

function fromValue(value: Json): unknown {
  const kind = value.kind;
  if (kind === "nullValue") return null;
  if (kind === "listValue") return value.listValue.values.map(fromValue);
  if (kind !== "structValue") return value[kind];
  const fields = Object.entries(value.structValue.fields as Json);
  return Object.fromEntries(fields.map(([name, field]) => [name, fromValue(field)]));
}

function toRequest(request: Json): Json {
  const content = request.content;
  return content ? { ...request, content: { json: toValue(content.json) } } : request;
}

/** Without the names of oneofs, and with contents as JSON. */
function fromResponse(response: Json): Json {
  for (const item of response.results?.items ?? []) {
    item.message.content = { json: fromValue(item.message.content.json) };
  }
  if (response.event) delete response.event.frame;
  return response;
}

function refused(error: grpc.ServiceError): Refused {
  const [status] = error.metadata.get("grpc-status-details-bin");
  const details: Details = {};
  for (const { type_url, typeUrl, value } of decode("google.rpc.Status", status as Buffer).details) {
    const type = (type_url ?? typeUrl).split("/")[1];
    for (const name of DETAILS) {
      if (type === `google.rpc.${name}`) details[name] = decode(type, value);
    }
  }
  return new Refused(grpc.status[error.code] ?? "", details);
}

class GrpcJs implements Client {
  private readonly clients: { [service: string]: grpc.Client } = {};

  private client(service: string): grpc.Client {
    const address = LISTENERS[service] ?? "";
    return (this.clients[service] ??= new grpc.Client(address, grpc.credentials.createInsecure()));
  }

  private method(service: string, name: string) {
    const methods = definitions[service] as grpc.ServiceDefinition;
    const method = methods[name];
    if (!method) throw new Error(`${service} has no ${name}`);
    return method;
  }

  private metadata(token: string): grpc.Metadata {
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }

  call(service: string, name: string, token: string, request: Json): Promise<Json> {
    const { path, requestSerialize, responseDeserialize } = this.method(service, name);
    return new Promise((resolve, reject) => {
      this.client(service).makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        toRequest(request),
        this.metadata(token),
        (error, response) => (error ? reject(refused(error)) : resolve(fromResponse(response))),
      );
    });
  }

  async *stream(service: string, name: string, token: string, request: Json) {
    const { path, requestSerialize, responseDeserialize } = this.method(service, name);
    const metadata = this.metadata(token);
    const call = this.client(service).makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
    );
    call.on("error", () => {}); // of its cancellation; any other ends the iteration
    try {
      for await (const response of call) yield fromResponse(response);
    } finally {
      call.cancel();
    }
  }

  close() {
    for (const client of Object.values(this.clients)) client.close();
  }
}

const client = new GrpcJs();
await run(client);
client.close();
