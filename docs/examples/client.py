#!/usr/bin/python3
"""A vote and a tally, in Python: signs a voter token with the site's own key.

    client.py URL KEY POLL VOTER OPTION      KEY is a line of site_key_file: "kid secret"
"""
import base64
import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.request


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def voter_token(key, voter, seconds=86400):
    """On the server only: whoever has the key is everybody."""
    kid, secret = key.split()
    head = b64(json.dumps({"alg": "HS256", "kid": kid}).encode())
    claims = b64(json.dumps({"sub": voter, "exp": int(time.time()) + seconds}).encode())
    secret = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    signature = hmac.new(secret, f"{head}.{claims}".encode(), hashlib.sha256).digest()
    return f"{head}.{claims}.{b64(signature)}"


def ask(method, url, body=None, token=None):
    """Status and JSON; 503 and 429 may be sent again later, the vote counts once."""
    request = urllib.request.Request(url, method=method, headers={"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urllib.request.urlopen(request, data, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def main(url, key, poll, voter, option):
    token = voter_token(key, voter)
    status, answer = ask("POST", f"{url}/v1/polls/{poll}/votes", {"option": int(option)}, token)
    print(answer["result"] if status < 300 else f"{status} {answer['detail']}")
    _, tally = ask("GET", f"{url}/v1/polls/{poll}/tally")
    for row in tally["options"]:
        print(row["label"], row["votes"], row["shown"])


if __name__ == "__main__":
    main(*sys.argv[1:])
