// @ts-check
/**
 * The panel's look. Colours are variables that a page may set on the element; sizes follow the reader's own text size
 * (em of `font: medium`), whatever the page has made of its root; every direction is logical.
 */
const TEXT = `
:host { --paper: #f6f5f2; --card: #fff; --ink: #1d2125; --quiet: #5c646c; --line: #dcd9d2; --edge: #7b838a;
  --late: #a3341f; --accent: var(--chat-accent, #0b5f66); --accent-ink: var(--chat-accent-ink, #fff); }
@media (prefers-color-scheme: dark) {
  :host { --paper: #14171a; --card: #22272c; --ink: #e9e7e2; --quiet: #a9b0b7; --line: #3a4148; --edge: #8a929a;
    --late: #f0917e; --accent: var(--chat-accent, #6cc5c9); --accent-ink: var(--chat-accent-ink, #0d2325); } }
*, ::before { box-sizing: border-box; }
[hidden] { display: none !important; }
.panel { position: fixed; display: flex; flex-direction: column; overflow: hidden auto; z-index: 1;
  inset-block-end: calc(var(--chat-block, 1.25em) + 4em + env(safe-area-inset-bottom));
  inset-inline-end: var(--chat-inline, 1.25em); inline-size: min(24em, calc(100vw - 2.5em));
  block-size: min(38em, calc(100dvh - 7em)); background: var(--paper); color: var(--ink);
  border: 1px solid var(--line); border-radius: 1em; box-shadow: 0 2px 6px #0002, 0 16px 48px #0004;
  overflow-wrap: anywhere; text-align: start; overscroll-behavior: contain; }
:host([side="start"]) .panel { inset-inline: var(--chat-inline, 1.25em) auto; }
.panel:focus { outline: none; }
p, strong, label, button, .mark { unicode-bidi: plaintext; }
p, ol { margin: 0; padding: 0; list-style: none; }
button, textarea, input { font: inherit; color: inherit; }
button { cursor: pointer; min-block-size: 2.75em; min-inline-size: 2.75em; padding: 0 .875em; border: 1px solid transparent;
  border-radius: .625em; background: none; }
button:disabled { cursor: default; opacity: .55; }
a { color: inherit; }
:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
svg { inline-size: 1.375em; block-size: 1.375em; display: block; margin: auto; }
.bare { padding: 0; display: grid; }
.bare:hover, .plain:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
.plain { border-color: var(--edge); background: var(--card); }
.main { background: var(--accent); color: var(--accent-ink); font-weight: 600; }
.main:hover:enabled { filter: brightness(1.08); }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: .25em; padding: .625em .625em .625em 1em; background: var(--accent);
  color: var(--accent-ink); }
[dir="rtl"] .head { padding: .625em 1em .625em .625em; }
.head > div { flex: 1 1 9em; min-inline-size: 0; line-height: 1.35; }
.head :focus-visible { outline-color: currentColor; outline-offset: -3px; }
.title { font-weight: 700; }
.state { font-size: .875em; min-block-size: 2.7em; }
.state.live::before { content: ""; display: inline-block; inline-size: .5em; block-size: .5em; margin-inline-end: .5em;
  border-radius: 50%; background: currentColor; vertical-align: .1em; }
.menu { display: grid; padding: .375em; background: var(--card); border-block-end: 1px solid var(--line); }
.menu button, .menu a { text-align: start; padding: .625em .875em; }
.link, .said { padding: .5em 1em; font-size: .875em; background: var(--card); border-block-end: 1px solid var(--line); }
.link:empty, .said:empty { display: none; }
.lines { flex: 1 1 6em; min-block-size: 3em; overflow-y: auto; padding: 1em; scrollbar-width: thin; overscroll-behavior: contain;
  contain: content; }
.lines:focus-visible { outline-offset: -3px; }
.greeting { margin-block-end: 1em; white-space: pre-line; }
.day { margin-block: 1em .5em; text-align: center; font-size: .8125em; color: var(--quiet); }
.day::first-letter { text-transform: uppercase; }
.line { display: flex; flex-direction: column; align-items: flex-start; margin-block-start: .75em; max-inline-size: 88%; }
.line.customer { align-items: flex-end; margin-inline-start: auto; }
.line.system { max-inline-size: none; align-items: center; text-align: center; }
.line.next { margin-block-start: .25em; }
.who { font-size: .8125em; color: var(--quiet); padding-inline: .25em; }
.next .who { display: none; }
.text { padding: .5em .875em; border-radius: 1em; border-end-start-radius: .25em; background: var(--card);
  border: 1px solid var(--line); white-space: pre-wrap; }
.customer .text { border-radius: 1em; border-end-end-radius: .25em; background: var(--accent); color: var(--accent-ink);
  border-color: transparent; }
.system .text { border: 0; background: none; font-size: .875em; color: var(--quiet); }
.failed .text { background: var(--card); color: var(--ink); border: 1px dashed var(--late); }
.mark { font-size: .75em; color: var(--quiet); padding-inline: .25em; }
.failed .mark { color: var(--late); }
.turns.quick { margin-block-start: 0; }
.file { display: flex; align-items: center; gap: .5em; margin-block-start: .25em; text-align: start; max-inline-size: 100%;
  border-color: var(--edge); background: var(--card); color: var(--ink); }
.file svg, .chip > svg { flex: none; margin: 0; }
.turns { display: flex; flex-wrap: wrap; gap: .5em; margin-block-start: .5em; }
.typing { margin-block-start: .75em; font-size: .875em; color: var(--quiet); }
.typing::after { content: "…"; animation: wait 1.2s steps(1) infinite; }
@keyframes wait { 50% { opacity: 0; } }
.newest { position: absolute; inset-inline: 0; inset-block-end: 100%; margin: 0 auto .5em; inline-size: max-content;
  background: var(--ink); color: var(--paper); border-radius: 1.5em; font-size: .875em; }
.foot { position: relative; background: var(--card); border-block-start: 1px solid var(--line);
  padding: .625em; padding-block-end: max(.625em, env(safe-area-inset-bottom)); display: flex; flex-direction: column;
  gap: .5em; min-block-size: 0; }
.foot > form { display: flex; flex-direction: column; gap: .5em; }
.asks { overflow-y: auto; min-block-size: 0; margin: -.25em; }
.ask { display: grid; gap: .5em; padding: .5em; }
.ask .ask { padding: 0; }
.ask:focus-visible { outline: none; }
.ask strong { font-weight: 700; }
.ask label { display: grid; gap: .375em; font-size: .875em; }
.ask p { white-space: pre-line; }
input, textarea { inline-size: 100%; padding: .5em .75em; border: 1px solid var(--edge); border-radius: .625em;
  background: var(--paper); font-size: max(1em, 16px); line-height: 1.4; }
input { min-block-size: 2.75em; }
[aria-invalid="true"] { border-color: var(--late); }
.wrong { color: var(--late); font-size: .875em; }
.wrong:empty, .chips:empty { display: none; }
.write { display: flex; flex-wrap: wrap; align-items: flex-end; gap: .375em; }
textarea { resize: none; min-block-size: 2.75em; max-block-size: 9em; field-sizing: content; flex: 1 1 6.5em;
  inline-size: auto; min-inline-size: 0; display: block; }
.write .main { padding: 0; }
[dir="rtl"] .turn svg { transform: scaleX(-1); }
.chips { display: flex; flex-wrap: wrap; gap: .375em; }
.chip { display: flex; align-items: center; gap: .375em; max-inline-size: 100%; padding-inline-start: .625em;
  border: 1px solid var(--edge); border-radius: .625em; }
.chip span { font-size: .875em; }
.over::after { content: attr(data-drop); position: absolute; inset: .5em; display: grid; place-items: center; z-index: 2;
  border: 2px dashed var(--ink); border-radius: .75em; background: var(--card); font-weight: 600; }
@media (max-width: 30em), (max-height: 26em) { .panel, :host([side="start"]) .panel { inset: var(--top, 0) 0 auto;
  inline-size: auto; block-size: var(--height, 100dvh); border: 0; border-radius: 0; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } }
@media (forced-colors: active) { .head, .text, .main { border: 1px solid CanvasText; } }`;

export function sheet() {
  const made = new CSSStyleSheet();
  made.replaceSync(TEXT);
  return made;
}
