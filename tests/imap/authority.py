"""A certificate authority of the tests' own, made with the openssl program that every CI machine has."""

import ssl
import subprocess
from pathlib import Path

# Python 3.13 is strict about RFC 5280: key usage of the authority, its key's identifier in what it signs.
_LEAF = "subjectAltName=DNS:{name}\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n"


class Papers:
    """ca: the PEM file to believe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.pem"

    def server(self, name: str, *, days: int = 2) -> ssl.SSLContext:
        """A server's context with a certificate of the authority."""
        return self._context(self._signed(name, by="ca", days=days))

    def bad(self, fault: str) -> ssl.SSLContext:
        if fault == "other-name":
            return self.server("elsewhere.example.com")
        if fault == "expired":
            return self._context(self._signed("localhost", by="ca", days=-1))
        if fault == "self-signed":
            return self._context(_self_signed(self.folder, "alone", "localhost"))
        return self.server("localhost")

    def _signed(self, name: str, *, by: str, days: int) -> str:
        stem = f"{name}{days}"
        if not (self.folder / f"{stem}.pem").exists():
            _openssl(
                self.folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{stem}.key", "-out", f"{stem}.csr", "-subj", f"/CN={name}",
            )  # fmt: skip
            (self.folder / f"{stem}.ext").write_text(_LEAF.format(name=name))
            dates = ["-days", str(days)]
            _openssl(
                self.folder, "x509", "-req", "-in", f"{stem}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
                "-CAcreateserial", "-extfile", f"{stem}.ext", "-out", f"{stem}.pem", *dates,
            )  # fmt: skip
        return stem

    def _context(self, stem: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.folder / f"{stem}.pem", self.folder / f"{stem}.key")
        return context


def make(folder: Path) -> Papers:
    _self_signed(folder, "ca", "Tests")
    return Papers(folder)


def _self_signed(folder: Path, stem: str, name: str) -> str:
    if not (folder / f"{stem}.pem").exists():
        _openssl(
            folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", f"{stem}.key", "-out", f"{stem}.pem", "-days", "2", "-subj", f"/CN={name}",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
        )  # fmt: skip
    return stem


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
