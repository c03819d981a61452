"""What nginx serves to tests. The locations are a list to read:

/ok /hello.txt /124.html /files/1k /files/1m   200 with 3, 14, 124, 1,024 and 1,048,576 bytes
/text.txt                                      200, gzipped where accepted
/status/N                                      N, for the statuses in STATUSES
/redirect/N                                    N hops, then /ok      /redirect/loop  to itself
/basic                                         200 for `swell` with password `secret`, else 401
/cookie/set /cookie                            sets `session`; answers with the cookies that came
/echo                                          method, target and body length, as text
/tls                                           protocol, server name, session reuse, ALPN, client's subject
/close /few                                    closes after each response; after each third
/slow                                          20 KB at 10 KB/s
/limited                                       413 for a body over 1 KB
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tests.targets.tls import Certificate

STATUSES = (200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 410, 418, 429, 500, 501, 502, 503, 504)
REDIRECTS = 12
BASIC_USER, BASIC_PASSWORD = "swell", "secret"

_MAIN = """
{main}
{user}
worker_processes 1;
worker_shutdown_timeout 1s;
daemon off;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 8192; multi_accept on; }}
http {{
    log_format truth escape=json '{{"time_s": $msec, "connection": $connection, '
        '"nth_on_connection": $connection_requests, "method": "$request_method", "target": "$request_uri", '
        '"status": $number, "request_bytes": $request_length, "response_bytes": $bytes_sent, '
        '"request_id": "{request_id}", "host": "$http_host", "user_agent": "$http_user_agent", '
        '"user": "$remote_user", "protocol": "$server_protocol", "tls_reused": $reused, "completed": $completed}}';
    map $ssl_session_reused $reused {{ default false; r true; }}
    map $status $number {{ default $status; 000 0; 009 9; }}
    map $request_completion $completed {{ default false; OK true; }}
    access_log {access_log};
    types {{ text/html html; text/plain txt; }}
    default_type application/octet-stream;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    absolute_redirect off;
    client_max_body_size 64m;
    root pages;
{servers}
}}
"""

_SERVER = """
    server {{
{listen}
{tls}
        gzip on; gzip_min_length 1; gzip_types text/plain;
{locations}
    }}
"""

_LOCATIONS = """
        location = /ok { default_type text/plain; return 200 "ok\\n"; }
        location = /echo { default_type text/plain; return 200 "$request_method $request_uri $content_length\\n"; }
        location = /redirect/0 { return 302 /ok; }
        location = /redirect/loop { return 302 /redirect/loop; }
        location = /basic {
            auth_basic "tests"; auth_basic_user_file htpasswd;
            default_type text/plain; try_files /hello.txt =404;
        }
        location = /cookie/set { add_header Set-Cookie "session=abc; Path=/; HttpOnly"; return 204; }
        location = /cookie { default_type text/plain; return 200 "$http_cookie\\n"; }
        location = /tls {
            default_type text/plain;
            return 200 "$ssl_protocol|$ssl_server_name|$reused|$ssl_alpn_protocol|$ssl_client_s_dn\\n";
        }
        location = /close { keepalive_timeout 0; default_type text/plain; return 200 "ok\\n"; }
        location = /few { keepalive_requests 3; default_type text/plain; return 200 "ok\\n"; }
        location = /slow { limit_rate 10k; default_type text/plain; alias pages/files/20k; }
        location = /limited { client_max_body_size 1k; default_type text/plain; return 200 "ok\\n"; }
"""

_TLS = """
        ssl_certificate {certificate}; ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tests:1m;
"""

_CLIENTS = "        ssl_client_certificate {authority}; ssl_verify_client optional;\n"


def configuration(
    *,
    addresses: Sequence[str],
    locations: str,
    main: str,
    certificate: Certificate | None,
    client_authority: Path | None,
    access_log: bool,
    request_id_header: str,
) -> str:
    """The whole nginx.conf. `addresses`: TLS, then the plain ones."""
    tls, *plain = addresses
    every_location = locations + _LOCATIONS + _redirects() + _statuses()
    servers = [_SERVER.format(listen=_listen(*plain), tls="", locations=every_location)]
    if certificate is not None:
        servers.append(
            _SERVER.format(
                listen=f"        listen {tls} ssl;",
                tls=_tls(certificate, client_authority),
                locations=every_location,
            )
        )
    else:
        servers.append(_SERVER.format(listen=_listen(tls), tls="", locations="        return 400;"))
    return _MAIN.format(
        main=main,
        user="user root;" if os.geteuid() == 0 else "",
        request_id="$http_" + request_id_header.lower().replace("-", "_"),
        access_log="access.log truth" if access_log else "off",
        servers="".join(servers),
    )


def _listen(*addresses: str) -> str:
    return "\n".join(f"        listen {address} backlog=4096;" for address in addresses)


def _tls(certificate: Certificate, client_authority: Path | None) -> str:
    lines = _TLS.format(certificate=certificate.certificate, key=certificate.key)
    return lines + (_CLIENTS.format(authority=client_authority) if client_authority else "")


def _redirects() -> str:
    hops = (f"location = /redirect/{hop} {{ return 302 /redirect/{hop - 1}; }}" for hop in range(1, REDIRECTS + 1))
    return "\n".join(hops)


def _statuses() -> str:
    return "\n".join(f"location = /status/{status} {{ return {status}; }}" for status in STATUSES)


def write_pages(folder: Path) -> None:
    """The files that the locations serve."""
    files = folder / "pages" / "files"
    files.mkdir(parents=True)
    (folder / "pages" / "hello.txt").write_text("Hello, world!\n")
    (folder / "pages" / "124.html").write_text("<!doctype html><title>124 bytes</title>".ljust(123) + "\n")
    (folder / "pages" / "text.txt").write_text(
        "".join(f"line {number} of a text that shrinks\n" for number in range(1000))
    )
    for name, length_bytes in (("1k", 1024), ("20k", 20_480), ("1m", 1024 * 1024)):
        (files / name).write_bytes(bytes(index % 251 for index in range(length_bytes)))
    (folder / "htpasswd").write_text(f"{BASIC_USER}:{{PLAIN}}{BASIC_PASSWORD}\n")
