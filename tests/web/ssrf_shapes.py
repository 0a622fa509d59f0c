"""URLs that lead into our own network, in every way that a URL can be written; and what the names in them resolve to.

`{port}` is the canary's. Sources of the notations: RFC 3986 §7.4, inet_aton(3), RFC 4291, 6052, 6145, 3056, 5214, the URL
Standard §3.5; and what fetchers of others were caught by.
"""

from itertools import product

_LOOPBACK_V4 = (
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "127.00.0.1", "2130706433", "02130706433", "017700000001",
    "0x7f000001", "0X7F000001", "0x7f.0x0.0x0.0x1", "0x7f.1", "0177.0.0.1", "0177.1", "0177.0x0.0.1", "0x7f.0.0.01", "127.0x0.0.1",
    "127.0.0.0x1", "00000127.0.0.1", "127.0.0.1.", "2130706433.", "0x7f000001.", "6425673729", "0x17f000001", "127.0.0.1%00",
    "127.0.0.1%2e", "127%2e0%2e0%2e1", "%31%32%37.0.0.1", "127.0.0.1%20", "127.0.0.257", "0x7f.0x.0x.0x1", "0", "0.0.0.0", "0x0", "00", "0.0",
)  # fmt: skip
_OTHER_SCRIPTS = (
    "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "٠.٠.٠.٠", "ⅼocalhost", "ｌｏｃａｌｈｏｓｔ", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "loc\u00adalhost", "local\u200bhost", "ｌocalhost。", "127.0.0.１", "127.𝟎.𝟎.𝟏", "[::①]", "𝟚𝟙𝟛𝟘𝟟𝟘𝟞𝟜𝟛𝟛",
)  # fmt: skip
_PRIVATE_V4 = (
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.254",
    "169.254.169.254", "169.254.170.2", "169.254.0.1", "192.0.0.192", "192.0.0.9", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "0.1.2.3", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "169.254.43518", "0xa.1", "012.0.0.1", "167772161", "3232235521", "0xc0a80001", "169.16689662", "10.1", "192.168.257",
)  # fmt: skip
_V6 = (
    "::1", "::", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:7f00:0001",
    "0:0:0:0:0:ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::ffff:192.168.0.1", "::127.0.0.1",
    "::7f00:1", "::10.0.0.1", "::ffff:0:127.0.0.1", "::ffff:0:7f00:1", "64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "64:ff9b::169.254.169.254", "64:ff9b:1::127.0.0.1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:7f00:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::",
    "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1", "3fff::1", "fe80::1", "fe80::1%25lo", "fe80::1%25eth0", "::1%25lo", "::1%25",
    "febf::1", "fec0::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fdff::1", "ff01::1", "ff02::1", "ff0e::1", "100::1", "100:0:0:1::1", "2001:2::1", "2001:10::1",
    "2001:20::1", "5f00::1", "4000::1", "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:127.0.0.1", "::ffff:127.1", "::ffff:2130706433", "::1]", "[::1",
    "::00ff:ff:7f00:1", "v1.::1",
)  # fmt: skip

# What a name server of a stranger's says.
NAMES = {
    "localhost": ("127.0.0.1", "::1"),
    "localhost.": ("127.0.0.1",),
    "localhost.localdomain": ("127.0.0.1",),
    "ip6-localhost": ("::1",),
    "me.localhost": ("127.0.0.1",),
    "loop.example": ("127.0.0.1",),
    "loop6.example": ("::1",),
    "xn--lop-pna.example": ("127.0.0.1",),
    "127.0.0.1.nip.example": ("127.0.0.1",),
    "127-0-0-1.sslip.example": ("127.0.0.1",),
    "mapped.example": ("::ffff:127.0.0.1",),
    "nat64.example": ("64:ff9b::7f00:1",),
    "sixtofour.example": ("2002:7f00:1::",),
    "compatible.example": ("::127.0.0.1",),
    "ten.example": ("10.0.0.1",),
    "metadata.example": ("169.254.169.254",),
    "metadata.google.internal": ("169.254.169.254",),
    "instance-data": ("169.254.169.254",),
    "link.example": ("fe80::1%lo",),
    "zero.example": ("0.0.0.0",),
    "zero6.example": ("::",),
    "both.example": ("93.184.215.14", "127.0.0.1"),
    "both-turned.example": ("127.0.0.1", "93.184.215.14"),
    "both6.example": ("2606:2800:220:1::1", "::1"),
    "many.example": (*(f"93.184.215.{last}" for last in range(1, 30)), "10.0.0.1"),
    "local.example": ("fec0::1",),
    "broadcast.example": ("255.255.255.255",),
    "carrier.example": ("100.64.0.1",),
    "db": ("127.0.0.1",),
    "intranet": ("10.0.0.1",),
    "router.lan": ("192.168.0.1",),
    "LOCALHOST": ("127.0.0.1",),
    "LoCaLhOsT": ("127.0.0.1",),
    "a.b.c.d.e.f.example": ("127.0.0.1",),
    "x--y.example": ("127.0.0.1",),
    "under_score.example": ("127.0.0.1",),
    "1.2.3.example": ("127.0.0.1",),
    "0x7f.example": ("127.0.0.1",),
    "xn--n3h.example": ("127.0.0.1",),
    f"{'a' * 63}.example": ("127.0.0.1",),
    "public.example": ("93.184.215.14",),
}
_HOSTS = (
    *_LOOPBACK_V4,
    *_OTHER_SCRIPTS,
    *_PRIVATE_V4,
    *(f"[{each}]" for each in _V6),
    *(name for name in NAMES if name != "public.example"),
    "nobody-knows.example", "", " 127.0.0.1", "127.0.0.1 ", "\t127.0.0.1", "127.0\n.0.1", "127.0.0.1\x00.example", ".", "..", "-", "%",
)  # fmt: skip
_USERS = (
    "user@",
    "user:pass@",
    ":@",
    "@",
    "public.example@",
    "public.example:443@",
    "public.example%40",
    "a@b@",
    "public.example%00@",
)
_BEHIND = (
    "public.example#@",
    "public.example?@",
    "public.example\\@",
    "public.example/@",
    "public.example&@",
    "public.example;@",
)
_SCHEMES = (
    "http", "HTTP", "ftp", "ftps", "gopher", "file", "dict", "ldap", "ws", "wss", "unix", "http+unix", "jar:https", "view-source:https", "tftp", "sftp",
    "netdoc", "data", "javascript", "blob:https", "https:https", "", "h\tttps", "smb", "ssh", "redis", "php", "imap", "mailto",
)  # fmt: skip
_ODD = (
    "https:127.0.0.1:{port}/", "https:/127.0.0.1:{port}/", "https:///127.0.0.1:{port}/", "https:////127.0.0.1:{port}/", "//127.0.0.1:{port}/",
    "/\\127.0.0.1:{port}/", "\\\\127.0.0.1:{port}\\", "https:\\\\127.0.0.1:{port}\\", "https://127.0.0.1:{port}\\@public.example/",
    "https://public.example:{port}@127.0.0.1/", "https://127.0.0.1:22/", "https://127.0.0.1:0/", "https://127.0.0.1:-1/", "https://127.0.0.1:{port}0/",
    "https://127.0.0.1:99999/", "https://127.0.0.1:+{port}/", "https://127.0.0.1: {port}/", "https://127.0.0.1:{port}:{port}/", "https://[::1]{port}/",
    "https://[127.0.0.1]:{port}/", "https://[::1]@public.example:{port}/", "https://public.example:25/", "https://public.example:6379/",
    "https://127.0.0.1:{port}/%0d%0aX: y", "https://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x", "file:///etc/passwd", "file://127.0.0.1/etc/passwd",
    "data:text/plain,x", "javascript:alert(1)", "unix:///run/x.sock", "about:blank", "", "127.0.0.1:{port}", "localhost:{port}/", "https://", "https://?",
    "https://#", "https://127.0.0.1:{port}" + "/x" * 2_000, "{port}",
)  # fmt: skip

SHAPES = tuple(
    dict.fromkeys(
        (
            *(f"https://{host}:{{port}}/latest/meta-data/" for host in _HOSTS),
            *(f"https://{user}127.0.0.1:{{port}}/" for user in _USERS),
            *(f"https://{before}127.0.0.1:{{port}}/" for before in _BEHIND),
            *(
                f"{scheme}://{host}:{{port}}/"
                for scheme, host in product(_SCHEMES, ("127.0.0.1", "loop.example"))
            ),
            *_ODD,
        )
    )
)
