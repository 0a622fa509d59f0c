// @ts-check
/** What the owner of the chat has set, and what the owner's page knows of its visitor. */

/** Return what the owner of the chat has set; {} when nobody says so: the chat does without. */
export function settingsOf(/** @type {{chat: URL, signal: AbortSignal}} */ { chat, signal }, /** @type {RequestCache} */ cache) {
  return fetch(new URL("settings.json", chat), { signal, cache }).then((answer) => answer.json()).catch(() => ({}));
}

/** Return what the page knows as the protocol takes it: names in small letters, short texts, not too many. */
export function told(/** @type {Record<string, unknown>} */ context) {
  const rows = Object.entries(context).map(([name, value]) => [name.toLowerCase().replace(/[^a-z0-9]+/g, "-"), value]);
  const named = rows.filter(([name]) => /^[a-z][a-z0-9-]{0,39}$/.test(String(name))).slice(0, 20);
  return Object.fromEntries(named.map(([name, value]) => [name, String(value).slice(0, 200)]));
}
