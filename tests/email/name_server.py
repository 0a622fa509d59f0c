"""A real name server on loopback, for the tests that ask the DNS: UDP and TCP, one thread, a zone in a dict."""

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = dict[tuple[str, str], list[str]]  # ("example.com", "TXT") -> values as in a zone file
SILENT, BROKEN = "silent", "broken"  # values that stand alone: no answer at all, SERVFAIL


class NameServer:
    """zone: may be changed while it runs. asked: every question, in order."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.asked: list[tuple[str, str]] = []
        self.address = ""

    def answer(self, wire: bytes, *, is_udp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        (question,) = query.question
        name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        values = self.zone.get((name, kind))
        if values == [SILENT]:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if values == [BROKEN]:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif values:
            response.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, *values))
        elif not any(known == name for known, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        if not is_udp:
            return response.to_wire()
        try:
            return response.to_wire(max_size=1_232)
        except dns.exception.TooBig:
            cut = dns.message.make_response(query)
            cut.flags |= dns.flags.TC
            return cut.to_wire()


def text(value: str) -> str:
    """Write a TXT record of strings of at most 255 characters."""
    parts = [value[at : at + 200] for at in range(0, len(value), 200)]
    return " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts)


@contextlib.contextmanager
def serving(zone: Zone) -> Iterator[NameServer]:
    """Run a server; its address is "127.0.0.1:port" for both protocols."""
    server = NameServer(zone)

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            answer = server.answer(wire, is_udp=True)
            if answer is not None:
                sock.sendto(answer, self.client_address)

    class Tcp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            (size,) = struct.unpack("!H", self.request.recv(2, socket.MSG_WAITALL))
            answer = server.answer(self.request.recv(size, socket.MSG_WAITALL), is_udp=False)
            if answer is not None:
                self.request.sendall(struct.pack("!H", len(answer)) + answer)

    with _bound(Udp, Tcp) as (udp, tcp):
        server.address = f"127.0.0.1:{udp.server_address[1]}"
        threads = [
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.01}) for each in (udp, tcp)
        ]
        for thread in threads:
            thread.start()
        try:
            yield server
        finally:
            for each in (udp, tcp):
                each.shutdown()
            for thread in threads:
                thread.join()


@contextlib.contextmanager
def _bound(
    udp_handler: type[socketserver.BaseRequestHandler], tcp_handler: type[socketserver.BaseRequestHandler]
) -> Iterator[tuple[socketserver.UDPServer, socketserver.TCPServer]]:
    """Bind both protocols to one free port."""
    for _ in range(20):
        udp = socketserver.UDPServer(("127.0.0.1", 0), udp_handler)
        try:
            tcp = socketserver.TCPServer(("127.0.0.1", udp.server_address[1]), tcp_handler)
        except OSError:
            udp.server_close()
            continue
        with udp, tcp:
            yield udp, tcp
        return
    raise OSError("no port is free for UDP and TCP alike")
