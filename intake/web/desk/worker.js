// Shows notices when no page of the desk is in sight, and opens the ticket that one is about. It keeps nothing and answers no
// request: pages come from the desk alone.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(show(event.data ? event.data.json() : {})));

/** @param {{title?: string, body?: string, path?: string, tag?: string}} told */
function show(told) {
  const path = String(told.path ?? "/").startsWith("/") ? told.path : "/";
  return self.registration.showNotification(told.title ?? "Desk", { body: told.body ?? "", tag: told.tag, data: { path } });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.path ?? "/"));
});

/** @param {string} path */
async function open(path) {
  const url = new URL(path, self.location.origin);
  const windows = await self.clients.matchAll({ type: "window" });
  if (url.origin !== self.location.origin) return; // "//elsewhere" is no path of ours
  const found = windows.find((each) => new URL(each.url).pathname === url.pathname);
  if (found) return found.focus();
  return self.clients.openWindow(url.href);
}
