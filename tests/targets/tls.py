"""Certificates for tests: an authority, and ECDSA certificates that it signs for servers and clients."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import trustme


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its chain, and its private key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; clients who are given its `certificate` trust them. All files go to `folder`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.certificate = folder / f"{name}.pem"
        self._authority.cert_pem.write_to_path(self.certificate)

    def server(self, *names: str) -> Certificate:
        """For a server under those host names or addresses; by default all the names that loopback has."""
        names = names or ("localhost", "127.0.0.1", "::1")
        return self._write(f"server-{names[0]}", self._issue(*names))

    def expired_server(self, *names: str) -> Certificate:
        """For a server whose certificate ran out yesterday."""
        yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        leaf = self._issue(*(names or ("localhost", "127.0.0.1", "::1")), not_after=yesterday)
        return self._write("server-expired", leaf)

    def client(self, name: str = "client") -> Certificate:
        """For a client who is asked who he is: `name` becomes the subject's common name."""
        return self._write(f"client-{name}", self._issue(f"{name}@example.test", common_name=name))

    def _issue(
        self, *names: str, common_name: str | None = None, not_after: datetime.datetime | None = None
    ) -> trustme.LeafCert:
        return self._authority.issue_cert(
            *names, common_name=common_name, not_after=not_after, key_type=trustme.KeyType.ECDSA
        )

    def _write(self, stem: str, leaf: trustme.LeafCert) -> Certificate:
        stem = stem.replace("*", "any").replace(":", "_")
        written = Certificate(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        for index, blob in enumerate(leaf.cert_chain_pems):
            blob.write_to_path(written.certificate, append=index > 0)
        leaf.private_key_pem.write_to_path(written.key)
        return written
