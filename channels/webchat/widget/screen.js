// @ts-check
/** The panel on the screen: above a telephone's keyboard, never in the way of the page's focus, in the owner's colour. */

/** Keep a panel that fills the screen within what the keyboard leaves of it (visualViewport). */
export function fit(/** @type {() => HTMLElement} */ panel, /** @type {AbortSignal} */ signal) {
  const seen = window.visualViewport;
  if (!seen) return;
  const place = () => {
    // A page that is pinched larger is not a keyboard: it keeps its place then.
    if (seen.scale > 1.01) return;
    panel().style.setProperty("--height", `${Math.round(seen.height)}px`);
    panel().style.setProperty("--top", `${Math.round(seen.offsetTop)}px`);
  };
  for (const name of ["resize", "scroll"]) seen.addEventListener(name, place, { signal });
  place();
}

/** Let Escape close the panel when it stands on what the page has in focus (WCAG 2.2, 2.4.11). */
export function uncover(/** @type {HTMLElement} */ host, /** @type {() => HTMLElement} */ panel, /** @type {() => void} */ close,
  /** @type {AbortSignal} */ signal) {
  const look = (/** @type {KeyboardEvent} */ event) => {
    const focused = document.activeElement;
    if (event.key === "Escape" && !panel().hidden && focused && focused !== host && meet(focused, panel())) close();
  };
  document.addEventListener("keydown", look, { signal });
}

/** Colour the panel, unless the page has done so; what stands on the colour is black or white, whichever reads better. */
export function colour(/** @type {HTMLElement} */ host, /** @type {HTMLElement} */ region, /** @type {string | undefined} */ accent) {
  if (!accent || !CSS.supports("color", accent) || getComputedStyle(host).getPropertyValue("--chat-accent")) return;
  region.style.setProperty("--chat-accent", accent);
  region.style.setProperty("--accent", accent);
  region.style.setProperty("--chat-accent-ink", inkOn(region));
  region.style.setProperty("--accent-ink", inkOn(region));
}

/** Return black or white, by the relative luminance of the accent (WCAG 2.2); both reach 4.58 : 1 at least. */
function inkOn(/** @type {HTMLElement} */ region) {
  const probe = document.createElement("i");
  probe.style.color = "var(--accent)";
  region.append(probe);
  const [red, green, blue] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map((each) => channel(Number(each) / 255));
  probe.remove();
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
}

function channel(/** @type {number} */ value) {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function meet(/** @type {Element} */ one, /** @type {Element} */ other) {
  const a = one.getBoundingClientRect();
  const b = other.getBoundingClientRect();
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
