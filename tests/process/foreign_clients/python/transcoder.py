"""JSON over HTTP/1.1, by way of Envoy's transcoder."""

import http.client
import json
import os
import pathlib
import time


def listeners(attempts=600):
    """The addresses of Envoy's listeners by name, once it is there."""
    for _ in range(attempts):
        try:
            admin = pathlib.Path(os.environ["ENVOY_ADMIN_ADDRESS"]).read_text()
            connection = http.client.HTTPConnection(admin, timeout=60)
            connection.request("GET", "/listeners?format=json")
            statuses = json.loads(connection.getresponse().read())["listener_statuses"]
            addresses = {it["name"]: it["local_address"]["socket_address"] for it in statuses}
            return {
                name: f"{address['address']}:{address['port_value']}"
                for name, address in addresses.items()
            }
        except (OSError, KeyError):
            time.sleep(0.1)
    raise TimeoutError("Envoy does not listen")


ENVOY = listeners()
os.environ |= {"USER_ADDRESS": ENVOY["user"], "SYS_ADDRESS": ENVOY["sys"]}
import scenarios  # noqa: E402: it reads the addresses

# The first line of a stream is the beginning of its array, and each further one an element.
ARRAY = "[,]"
CODES = {"INVALID_ARGUMENT": 400, "ABORTED": 409}
NAMES = {3: "INVALID_ARGUMENT", 10: "ABORTED"}


class Client:
    def post(self, service, name, token, request):
        connection = http.client.HTTPConnection(scenarios.LISTENERS[service], timeout=60)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        connection.request("POST", f"/{service}/{name}", json.dumps(request), headers)
        return connection, connection.getresponse()

    def call(self, service, name, token, request):
        connection, response = self.post(service, name, token, request)
        body = json.loads(response.read())
        connection.close()
        if response.status == 200:
            return body
        code = NAMES[body["code"]]
        scenarios.equal(response.status, CODES[code])
        details = {detail["@type"].split(".")[-1]: detail for detail in body["details"]}
        raise scenarios.Refused(code, details)

    def stream(self, service, name, token, request):
        connection, response = self.post(service, name, token, request)
        try:
            text, decoder = "", json.JSONDecoder()
            while piece := response.read1():
                text += piece.decode()
                while text := text.lstrip(ARRAY):
                    try:
                        element, end = decoder.raw_decode(text)
                    except json.JSONDecodeError:
                        break
                    yield element
                    text = text[end:]
        finally:
            connection.close()


scenarios.run(Client())
