"""HTML mails as mail programs write them: an answer, a signature, the older mail, each marked in the program's own way.

{answer}, {signature}, {attribution}, {head} (name, value pairs), {older} are filled in as HTML.
"""

ANSWER = "Thank you, the blue one.\n\nCan you send it on Monday?"
OLDER = "which colour would you like?"
SIGNATURE = "Anna Example\nExample Ltd. · +48 22 123 45 67"

_FIELDS = (
    ("Qwx", "Support &lt;support@example.net&gt;"),
    ("Plo", "Monday, November 2, 2026 10:00"),
    ("Zut", "Anna"),
    ("Mup", "Re: lamp"),
)
_ATTRIBUTION = (
    'Xo 2026-11-02 10:00, Support &lt;<a href="mailto:support@example.net">support@example.net</a>&gt; zopqa'
)
_BOLD = "<br>".join(f"<b>{name}:</b> {value}" for name, value in _FIELDS)
_ROWS = "".join(f"<tr><th>{name}: </th><td>{value}</td></tr>" for name, value in _FIELDS)

REPLIES = {
    "gmail": (
        '<div dir="ltr"><div>Thank you, the blue one.</div><div><br></div><div>Can you send it on Monday?</div><br clear="all">'
        '<div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature">'
        'Anna Example<br>Example Ltd. · +48 22 123 45 67</div></div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
        f'{_ATTRIBUTION}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">{OLDER}</blockquote></div>'
    ),
    "outlook web": (
        '<div class="elementToProof">Thank you, the blue one.</div><div><br></div><div>Can you send it on Monday?</div><div id="Signature"><p>Anna Example</p>'
        '<p>Example Ltd. · +48 22 123 45 67</p></div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" dir="ltr"><font>{_BOLD}</font><div>&nbsp;</div></div><div>{OLDER}</div>'
    ),
    "outlook desktop": (
        '<div class="WordSection1"><p class="MsoNormal">Thank you, the blue one.<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p>'
        '<p class="MsoNormal">Can you send it on Monday?<o:p></o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in">'
        f'<p class="MsoNormal">{_BOLD}<o:p></o:p></p></div></div><p class="MsoNormal">{OLDER}</p></div>'
    ),
    "outlook phone": (
        '<div dir="auto">Thank you, the blue one.</div><div dir="auto"><br></div><div dir="auto">Can you send it on Monday?</div>'
        '<div id="ms-outlook-mobile-body-separator-line"><br></div><div id="ms-outlook-mobile-signature">Zopqa <a href="https://example.net/o">Outlook iOS</a></div>'
        f'<div id="mail-editor-reference-message-container"><hr><div>{_BOLD}</div><div>{OLDER}</div></div>'
    ),
    "thunderbird": (
        '<p>Thank you, the blue one.</p><p>Can you send it on Monday?</p><pre class="moz-signature" cols="72">-- \nAnna Example\nExample Ltd.</pre>'
        f'<div class="moz-cite-prefix">{_ATTRIBUTION}<br></div><blockquote type="cite" cite="mid:a@example.net"><p>{OLDER}</p></blockquote>'
    ),
    "apple mail": (
        'Thank you, the blue one.<div><br></div><div>Can you send it on Monday?<br id="lineBreakAtBeginningOfMessage"><div>'
        f'<br><blockquote type="cite"><div>{_ATTRIBUTION}:</div><br class="Apple-interchange-newline"><div>{OLDER}</div></blockquote></div></div>'
    ),
    "iphone": (
        'Thank you, the blue one.<div><br></div><div>Can you send it on Monday?<br><br><div dir="ltr" id="AppleMailSignature">Sent from my iPhone</div>'
        f'<div dir="ltr"><br><blockquote type="cite">{_ATTRIBUTION}:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">{OLDER}</div></blockquote></div>'
    ),
    "yahoo": (
        '<div class="yahoo-style-wrap"><div dir="ltr">Thank you, the blue one.</div><div><br></div><div>Can you send it on Monday?</div></div>'
        f'<div id="yahoo_quoted_1" class="yahoo_quoted"><div><div>{_ATTRIBUTION}</div><div><br></div><div>{OLDER}</div></div></div>'
    ),
    "proton": (
        '<div>Thank you, the blue one.</div><div><br></div><div>Can you send it on Monday?</div><div class="protonmail_signature_block"><div>Zopqa Proton</div></div>'
        f'<div class="protonmail_quote">{_ATTRIBUTION}<br><br><blockquote class="protonmail_quote" type="cite">{OLDER}</blockquote><br></div>'
    ),
    "zimbra": (
        '<div>Thank you, the blue one.</div><div><br></div><div>Can you send it on Monday?</div><hr id="zwchr" data-marker="__DIVIDER__">'
        f'<div data-marker="__HEADERS__">{_BOLD}</div><br><div data-marker="__QUOTED_TEXT__">{OLDER}</div>'
    ),
    "gmx": (
        '<div>Thank you, the blue one.</div><div>&nbsp;</div><div>Can you send it on Monday?</div><div name="quote" style="border-left:2px solid #C3D9E5">'
        f'<div>{_BOLD}</div><div name="quoted-content">{OLDER}</div></div>'
    ),
    "zoho": (
        '<div>Thank you, the blue one.</div><div><br></div><div>Can you send it on Monday?</div><div class="zmail_extra"><div>---- zopqa ----</div><br>'
        f'<blockquote>{OLDER}</blockquote></div>'
    ),
    "roundcube": (
        f'<p>Thank you, the blue one.</p><p>Can you send it on Monday?</p><p id="reply-intro">{_ATTRIBUTION}:</p><blockquote type="cite">{OLDER}</blockquote>'
    ),
    "yandex": (
        '<div>Thank you, the blue one.</div><div>&nbsp;</div><div>Can you send it on Monday?</div><div>&nbsp;</div><div>02.11.2026, 10:00, "Support" &lt;support@example.net&gt;:</div>'
        f'<blockquote><div>{OLDER}</div></blockquote>'
    ),
    "mail.ru": (
        '<div>Thank you, the blue one.</div><div>&nbsp;</div><div>Can you send it on Monday?</div><blockquote style="border-left:1px solid #0857A6;margin:10px">'
        f'Понедельник, 2 ноября 2026, 10:00 +03:00 от Support &lt;support@example.net&gt;:<br>{OLDER}</blockquote>'
    ),
    "seznam": (
        '<div>Thank you, the blue one.</div><div><br></div><div>Can you send it on Monday?</div><aside class="x"><br>---------- Původní e-mail ----------<br>'
        f'Od: Support &lt;support@example.net&gt;<br>Komu: Anna<br>Datum: 2. 11. 2026 10:00:00<br>Předmět: Re: lamp<br></aside><blockquote data-email="x">{OLDER}</blockquote>'
    ),
    "notes": (
        "<font size=2>Thank you, the blue one.</font><br><br><font size=2>Can you send it on Monday?</font><br><br><table><tr><td><font>From:</font><td><font>Support &lt;support@example.net&gt;</font>"
        "<tr><td><font>To:</font><td><font>Anna</font><tr><td><font>Date:</font><td><font>02/11/2026 10:00</font><tr><td><font>Subject:</font><td><font>Re: lamp</font></table>"
        f"<hr noshade><br><br><font>{OLDER}</font>"
    ),
    "wp": (
        '<div>Thank you, the blue one.</div><div><br></div><div>Can you send it on Monday?</div><div class="nh_extra"><div>Dnia 2 listopada 2026 10:00 Support &lt;support@example.net&gt; '
        f'napisał(a):</div><blockquote style="margin: 0 0 0 10px">{OLDER}</blockquote></div>'
    ),
}  # fmt: skip

FORWARDS = {
    "gmail": (
        '<div dir="ltr">See below.<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Zopqa ---------<br>Qwx: <strong class="gmail_sendername" dir="auto">Carl Client</strong> '
        '<span dir="auto">&lt;<a href="mailto:carl@example.org">carl@example.org</a>&gt;</span><br>Plo: Mon, 2 Nov 2026 at 10:00<br>Mup: Broken lamp<br>Zut: &lt;anna@example.com&gt;<br></div>'
        '<br><br>The lamp is broken.<blockquote>old</blockquote></div></div>'
    ),
    "thunderbird": (
        '<p>See below.</p><div class="moz-forward-container"><br>-------- Zopqa --------<table class="moz-email-headers-table"><tbody><tr><th>Subject: </th><td>Broken lamp</td></tr>'
        '<tr><th>Date: </th><td>Mon, 2 Nov 2026 10:00:00 +0100</td></tr><tr><th>From: </th><td>Carl Client <a href="mailto:carl@example.org">&lt;carl@example.org&gt;</a></td></tr>'
        '<tr><th>To: </th><td>anna@example.com</td></tr></tbody></table><br>The lamp is broken.</div>'
    ),
    "outlook web": (
        '<div>See below.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><font><b>From:</b> Carl Client &lt;carl@example.org&gt;<br><b>Sent:</b> Monday, November 2, 2026 10:00 AM<br>'
        '<b>To:</b> Anna<br><b>Subject:</b> Broken lamp</font></div><div>The lamp is broken.</div>'
    ),
    "apple mail": (
        'See below.<br><div><br><blockquote type="cite"><div>Begin forwarded message:</div><br><div><b>From: </b>Carl Client &lt;<a href="mailto:carl@example.org">carl@example.org</a>&gt;<br></div>'
        '<div><b>Subject: </b><b>Broken lamp</b><br></div><div><b>Date: </b>2 November 2026 at 10:00:00 CET<br></div><div><b>To: </b>anna@example.com<br></div><br><div>The lamp is broken.</div></blockquote></div>'
    ),
}  # fmt: skip
