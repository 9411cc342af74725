#!/usr/bin/python3
"""A mail server with TLS and AUTH: smtpd.py PORT starttls|tls CERTIFICATE KEY

It prints `ready`, and then each message that it takes as one line of JSON.
"""
import json
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class Printer:
    async def handle_DATA(self, server, session, envelope):
        message = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "text": envelope.content.decode("utf-8", "replace"),
            "user": session.auth_data.login.decode(),
        }
        print(json.dumps(message), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    is_known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ops", b"s3cret password")
    return AuthResult(success=is_known, handled=False, auth_data=data if is_known else None)


port, mode, certificate, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
tls = (
    {"ssl_context": context, "auth_require_tls": False}
    if mode == "tls"
    else {"tls_context": context, "require_starttls": True}
)
controller = Controller(
    Printer(), hostname="127.0.0.1", port=int(port), auth_required=True, authenticator=authenticate, **tls
)
controller.start()
print("ready", flush=True)
threading.Event().wait()
