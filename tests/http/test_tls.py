"""The TLS layer by itself, against a server's side in memory."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from swell.http.failure import CallFailure
from swell.http.tls import TlsLayer, client_context
from tests.http.encrypted import ServerSide, server_context, shaken
from tests.targets.tls import Authority, Certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.server()


def layer_to(authority: Authority, host: str = "localhost", session: ssl.SSLSession | None = None) -> TlsLayer:
    return TlsLayer(client_context(str(authority.certificate), None), host, session)


def refusal(layer: TlsLayer, context: ssl.SSLContext) -> str:
    with pytest.raises(CallFailure) as caught:
        shaken(layer, ServerSide(context))
    assert caught.value.silent
    return caught.value.reason


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_both_sides_understand_each_other(authority: Authority, certificate: Certificate, version: str) -> None:
    server = ServerSide(server_context(certificate, version))
    layer = shaken(layer_to(authority), server)
    server.take(layer.encrypt(b"a request"))
    assert server.received == b"a request"
    assert layer.decrypt(server.say(b"a response")) == b"a response"
    assert (layer.alpn, layer.closed, repr(layer)) == ("http/1.1", False, f"<TlsLayer TLSv{version}>")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_names_and_addresses_are_verified(authority: Authority, certificate: Certificate, host: str) -> None:
    shaken(layer_to(authority, host), ServerSide(server_context(certificate)))


def test_the_servers_name_goes_along_but_no_address_and_no_final_dot(authority: Authority) -> None:
    seen: list[str | None] = []
    certificate = authority.server("www.example.test", "127.0.0.1", "fe80::1")
    context = server_context(certificate)
    context.sni_callback = lambda _, name, __: seen.append(name)
    for host in ("www.example.test", "www.example.test.", "127.0.0.1", "fe80::1%lo"):
        shaken(layer_to(authority, host), ServerSide(context))
    assert seen == ["www.example.test", "www.example.test", None, None]


def test_refusals_say_why(authority: Authority, certificate: Certificate, tmp_path: Path) -> None:
    context = server_context(certificate)
    stranger = Authority(tmp_path, "stranger")
    assert refusal(layer_to(stranger), context).startswith("TLS: certificate not accepted: unable to get local issuer")
    assert refusal(layer_to(authority, "elsewhere.test"), context).startswith(
        "TLS: certificate not accepted: Hostname mismatch"
    )
    assert refusal(layer_to(authority), server_context(authority.expired_server())) == (
        "TLS: certificate not accepted: certificate has expired"
    )
    assert refusal(TlsLayer(client_context(True, None), "localhost"), context).startswith(
        "TLS: certificate not accepted"
    )


def test_without_verification_anything_goes(authority: Authority) -> None:
    context = server_context(authority.expired_server())
    shaken(TlsLayer(client_context(False, None), "elsewhere.test"), ServerSide(context))


def test_a_folder_of_authorities_is_read(authority: Authority, certificate: Certificate, tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    pem = authority.certificate.read_text()
    context = ssl.create_default_context(cafile=str(authority.certificate))
    assert context.get_ca_certs()
    (folder / f"{subject_hash(authority.certificate)}.0").write_text(pem)
    shaken(TlsLayer(client_context(str(folder), None), "localhost"), ServerSide(server_context(certificate)))


def subject_hash(certificate: Path) -> str:
    """The name under which OpenSSL looks for an authority in a folder."""
    import subprocess

    run = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(certificate)], capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def test_a_server_that_wants_a_certificate_gets_it(authority: Authority, certificate: Certificate) -> None:
    context = server_context(certificate, verify_mode=ssl.CERT_REQUIRED)
    context.load_verify_locations(str(authority.certificate))
    mine = authority.client("tester")
    server = ServerSide(context)
    with_mine = client_context(str(authority.certificate), (str(mine.certificate), str(mine.key)))
    shaken(TlsLayer(with_mine, "localhost"), server)
    subject = dict(pair for (pair,) in server.tls.getpeercert()["subject"])  # type: ignore[index,misc]
    assert subject["commonName"] == "tester"


def test_a_certificate_and_its_key_may_be_in_one_file(authority: Authority, tmp_path: Path) -> None:
    mine = authority.client("both")
    both = tmp_path / "both.pem"
    both.write_text(mine.certificate.read_text() + mine.key.read_text())
    assert client_context(True, str(both)).verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_is_taken_up_again(authority: Authority, certificate: Certificate, version: str) -> None:
    context = server_context(certificate, version)
    client = client_context(str(authority.certificate), None)
    server = ServerSide(context)
    first = shaken(TlsLayer(client, "localhost"), server)
    server.take(b"")
    first.decrypt(server.say(b"response"))
    assert not first.resumed
    second = shaken(TlsLayer(client, "localhost", first.session), ServerSide(context))
    assert second.resumed


def test_a_session_of_another_context_is_passed_over(authority: Authority, certificate: Certificate) -> None:
    context = server_context(certificate)
    server = ServerSide(context)
    first = shaken(layer_to(authority), server)
    first.decrypt(server.say(b"response"))
    second = shaken(layer_to(authority, session=first.session), ServerSide(context))
    assert not second.resumed


def test_plain_text_comes_however_its_records_are_cut(authority: Authority, certificate: Certificate) -> None:
    server = ServerSide(server_context(certificate))
    layer = shaken(layer_to(authority), server)
    server.take(b"")
    wire = server.wire() + server.say(b"one") + server.say(b"two") + server.say(b"x" * 40_000)
    for step in (1, 7, 1000, len(wire)):
        plain = b"".join(layer.decrypt(wire[at : at + step]) for at in range(0, len(wire), step))
        assert plain == b"onetwo" + b"x" * 40_000
        wire = server.say(b"one") + server.say(b"two") + server.say(b"x" * 40_000)
    assert not layer.closed


def test_the_end_of_the_tls_stream_is_seen_alone_and_after_text(authority: Authority, certificate: Certificate) -> None:
    for text in (b"", b"the last words"):
        server = ServerSide(server_context(certificate))
        layer = shaken(layer_to(authority), server)
        server.take(b"")
        wire = server.wire() + (server.say(text) if text else b"") + server.close_notify()
        assert layer.decrypt(wire) == text
        assert layer.closed
        assert repr(layer).endswith(", closed>")


def test_a_record_that_was_spoilt_is_a_failure(authority: Authority, certificate: Certificate) -> None:
    server = ServerSide(server_context(certificate))
    layer = shaken(layer_to(authority), server)
    server.take(b"")
    wire = bytearray(server.wire() + server.say(b"response"))
    wire[-1] ^= 1
    with pytest.raises(CallFailure, match="TLS: decryption failed or bad record mac"):
        layer.decrypt(bytes(wire))
    with pytest.raises(CallFailure, match="TLS: "):
        layer.encrypt(b"another request")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "TLS: closed in the handshake"),
        (b"\x16\x03\x03", "TLS: closed in the handshake"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "TLS: wrong version number"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "TLS: wrong version number"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS: sslv3 alert handshake failure"),
    ],
)
def test_a_handshake_with_something_else_says_what_went_wrong(authority: Authority, said: bytes, reason: str) -> None:
    saying = iter([said, b"", b""])
    with pytest.raises(CallFailure) as caught:
        layer_to(authority).handshake(lambda _: None, lambda: next(saying))
    assert (caught.value.reason, caught.value.silent) == (reason, True)


def test_an_unknown_version_is_refused_in_words(authority: Authority, certificate: Certificate) -> None:
    old = client_context(str(authority.certificate), None)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    context = server_context(certificate, "1.3")
    server = ServerSide(context)
    layer = TlsLayer(old, "localhost")
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        layer.handshake(server.take, server.wire)
    with pytest.raises(CallFailure, match="TLS: tlsv1 alert protocol version"):
        layer.handshake(lambda _: None, server.wire)
