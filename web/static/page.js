// What scripts share that refresh a part of a page from the server.
const FOCUSABLE = "a[href], button, input, select, summary, [tabindex]";

export async function fetchPage(address, options) {
  const response = await fetch(address, options);
  return { response, page: new DOMParser().parseFromString(await response.text(), "text/html") };
}

// Replaces an element by its new version, unless they are equal. The same link or control keeps the focus.
export function replaceElement(shown, fresh) {
  if (shown.isEqualNode(fresh)) return;
  const focused = document.activeElement;
  const index = [...shown.querySelectorAll(FOCUSABLE)].indexOf(focused);
  shown.replaceWith(fresh);
  if (index < 0) return;
  const name = ["id", "href"].find((attribute) => focused.hasAttribute(attribute));
  const offered = [...fresh.querySelectorAll(FOCUSABLE)];
  const same = name ? offered.find((each) => each.getAttribute(name) === focused.getAttribute(name)) : offered[index];
  same?.focus({ preventScroll: true });
}
