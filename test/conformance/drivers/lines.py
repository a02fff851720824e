"""Commands as lines of JSON on the standard streams; see ../matrix/foreign-client.ts."""

import json
import sys


def answer_lines(handlers):
    """Answers commands from the standard input one after the other, until it ends."""
    for line in sys.stdin:
        request = json.loads(line)
        number, command = request.pop("id"), request.pop("command")
        try:
            answer = handlers[command](**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"id": number, **(answer or {})}), flush=True)


def text(content):
    return None if content is None else content.decode()


def octets(content):
    return None if content is None else content.encode()
