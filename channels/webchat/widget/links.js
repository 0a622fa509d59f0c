// @ts-check
/** Links of ours, from a mail, that open a chat: after asking, where this browser has another. */

/** Return the link that the page was opened by; "" = none. */
export function linkHere() {
  return location.hash.startsWith("#chat=") ? location.hash.slice(6) : "";
}

export async function takeUp(/** @type {any} */ panel, /** @type {string} */ link) {
  history.replaceState(history.state, "", location.href.split("#")[0]); // it is a key: not for bookmarks
  const { asking, conversation, words } = panel;
  const sayOver = () => panel.tell(words.say("linkOver"));
  const isNew = !conversation.hasBegun;
  const taken = conversation.turn({ t: "resume", link });
  await panel.open();
  await taken.catch((/** @type {any} */ { code }) => {
    if (code === "link_elsewhere") return asking.askOther(() => conversation.follow(link).catch(sayOver));
    if (isNew) panel.logout();
    sayOver();
  });
}
